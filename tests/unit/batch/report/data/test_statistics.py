"""What one pass over a ledger finds, and that it keeps no more of it however long it is."""

import random

import pytest

from pixmill.batch.item import ImageResult, OutputRecord, pack
from pixmill.batch.report.data.sampling import ReservoirSample, TopK
from pixmill.batch.report.data.statistics import MAX_FILES_PER_ERROR, LedgerStatistics
from pixmill.batch.report.data.timeline import MAX_PARTS, Timeline
from pixmill.engine.ledger import Record
from pixmill.engine.task import Counts, Failure, State


def done(number, *, size_in=1000, sizes=(100,), seconds=0.1, at=100.0, notes=()):
    outputs = tuple(OutputRecord(b"%d-%d" % (number, index), size, 8, 6, "jpeg", b"") for index, size in enumerate(sizes))
    result = pack(ImageResult(outputs, notes, size_in))
    return Record(key=b"%d" % number, id=b"", state=State.DONE, result=result, seconds=seconds, finished_at=at)


def failed(number, code="decode"):
    failure = Failure(code=code, stage="decode", message="x", hint="y")
    return Record(key=b"%d" % number, id=b"", state=State.FAILED, failure=failure, finished_at=100.0)


@pytest.fixture
def findings():
    return LedgerStatistics(90.0, sample_size=5, rng=random.Random(1))


def test_the_totals_are_those_of_the_ledger(findings):
    findings.add(
        [done(1), done(2, sizes=(100, 50), notes=("frames-dropped",)), failed(3), Record(key=b"4", id=b"", state=State.PENDING)]
    )
    assert findings.counts == Counts(done=2, failed=1, pending=1)
    assert (findings.bytes_in, findings.bytes_out, findings.outputs) == (2000, 250, 3)
    assert findings.notes == {"frames-dropped": 1}
    assert (findings.formats["jpeg"].count, findings.formats["jpeg"].size) == (3, 250)


def test_every_failure_counts_and_only_the_first_are_listed(findings):
    findings.add([failed(number, "timeout") for number in range(120)])
    findings.add([failed(200)])
    assert {code: (kind.count, len(kind.files)) for code, kind in findings.errors.items()} == {
        "timeout": (120, MAX_FILES_PER_ERROR),
        "decode": (1, 1),
    }


@pytest.mark.parametrize(("size", "tenth"), [(1, 0), (100, 0), (101, 1), (999, 9), (1000, 9), (1001, 10), (5000, 10)])
def test_an_output_is_counted_by_its_share_of_the_source(findings, size, tenth):
    findings.add([done(1, sizes=(size,))])
    assert findings.shares.index(1) == tenth
    assert findings.grown == (size > 1000)


def test_several_sizes_of_one_source_do_not_count_as_grown(findings):
    findings.add([done(1, sizes=(800, 700))])
    assert (findings.grown, sum(findings.shares)) == (0, 0)


def test_the_slowest_the_largest_and_those_that_grew_most_are_kept(findings):
    findings.add([done(number, seconds=number, size_in=1000 + number, sizes=(3000 - number,)) for number in range(50)])
    assert [picture.key for picture in findings.slowest.members][:3] == [b"49", b"48", b"47"]
    assert [picture.key for picture in findings.largest.members][:2] == [b"49", b"48"]
    assert [picture.key for picture in findings.grew_most.members][:2] == [b"0", b"1"]
    assert findings.grown == 50


def test_a_timeline_of_any_length_has_a_bounded_number_of_parts_and_loses_nothing():
    line = Timeline(1000.0)
    times = [1000 + number * 7.3 for number in range(5000)]
    for at in times:
        line.add(at, failed=False)
    line.add(1003, failed=True)
    line.add(999, failed=False)  # of an earlier run
    assert MAX_PARTS / 2 <= len(line.parts) <= MAX_PARTS
    assert sum(part.done for part in line.parts) == 5000
    assert sum(part.failed for part in line.parts) == line.parts[0].failed == 1
    first = sum(at - 1000 < line.width for at in times)
    assert line.parts[0].done == first


def test_of_equal_rank_the_first_stay():
    highest = TopK(3)
    for number in range(10):
        highest.offer(1.0, number)
    assert highest.members == (0, 1, 2)


def test_a_sample_is_fair():
    seen = [0] * 20
    for seed in range(2000):
        sample = ReservoirSample(5, random.Random(seed))
        for number in range(20):
            sample.offer(number)
        assert len(set(sample.members)) == 5
        for number in sample.members:
            seen[number] += 1
    assert all(400 <= count <= 600 for count in seen)  # 500 expected; 5 standard deviations are 97
