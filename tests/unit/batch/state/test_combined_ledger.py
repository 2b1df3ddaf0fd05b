"""Several ledgers of one output, read as one."""

import threading
import time

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.shard import Shard
from pixmill.batch.inspect import status, verify
from pixmill.batch.state.ledger_files import LedgerFile, find_ledger_files
from pixmill.engine.task import Counts, State
from support.invariants import check_complete, identities, outputs


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    for number in range(24):
        write_picture(folder / f"{number % 3}" / f"p{number}.jpg", shade=10 * number)
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def clean(source, tmp_path):
    """The tree of an unsharded run."""
    pixmill.run(source, tmp_path / "clean", executor="inline")
    return outputs(tmp_path / "clean")


def write_picture(path, *, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), (shade, 90, 60)).save(path)


def run(source, out, *shards, **options):
    return [pixmill.run(source, out, executor="inline", shard=shard, **options) for shard in shards]


def held(out):
    with status.open_ledgers(str(out)) as ledgers:
        return ledgers


def test_counts_and_records_of_shards_are_those_of_one_run(source, clean, tmp_path):
    out = tmp_path / "out"
    run(source, out, "1/3", "2/3", "3/3")
    whole, parts = held(tmp_path / "clean"), held(out)
    assert parts.counts() == whole.counts() == Counts(done=24, failed=1)
    assert sorted(record.key for record in parts.records()) == [record.key for record in whole.records()]
    assert [failed.path for failed in status.failures(parts)] == [b"bad.jpg"]
    assert list(verify.verify(parts, str(out))) == []
    check_complete(out, clean)


def test_shards_that_have_not_begun_are_named(source, tmp_path):
    out = tmp_path / "out"
    reports = run(source, out, "1/3", "3/3")
    told = status.status(held(out))
    assert [(str(each.shard), each.condition) for each in told.shards] == [
        ("1/3", "finished"),
        ("2/3", "not begun"),
        ("3/3", "finished"),
    ]
    assert told.counts.done == sum(report.counts.done for report in reports)


def test_the_folder_of_one_shard_is_that_shard_alone(source, tmp_path):
    out = tmp_path / "out"
    reports = run(source, out, "1/2", "2/2")
    with status.open_ledgers(str(out), str(out / ".pixmill" / "shard-2-of-2")) as ledgers:
        assert ledgers.counts().found == reports[1].counts.found
        assert status.status(ledgers).shards == ()


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 4), (4, 2), (2, 3)])
def test_another_split_goes_on_where_the_one_before_stopped(source, clean, tmp_path, before, after):
    out = tmp_path / "out"
    run(source, out, *parts(before))
    finished = identities(out)
    reports = run(source, out, *parts(after))
    assert sum(report.counts.skipped for report in reports) == 24
    assert sum(report.remembered for report in reports) == 1
    assert identities(out) == finished
    assert held(out).counts() == Counts(done=24, failed=1)
    check_complete(out, clean)


def test_counts_stay_exact_in_the_middle_of_a_change_of_the_split(source, clean, tmp_path):
    out = tmp_path / "out"
    run(source, out, *parts(2))
    run(source, out, "1/3")
    both = held(out)
    assert both.counts() == Counts(done=24, failed=1)
    keys = [record.key for record in both.records()]
    assert keys == sorted(set(keys))
    assert len(list(both.records(State.DONE))) == 24
    check_complete(out, clean)


def test_of_two_ledgers_that_know_an_image_the_younger_one_counts(source, tmp_path):
    out = tmp_path / "out"
    run(source, out, *parts(2))
    for path in source.glob("*/*.jpg"):
        path.write_bytes(b"no picture any more")
    report = pixmill.run(source, out, executor="inline", shard="1/3")
    gone = report.counts.failed - Shard(1, 3).takes(b"bad.jpg")
    assert held(out).counts() == Counts(done=24 - gone, failed=1 + gone)
    keys = [record.key for record in held(out).records(State.FAILED)]
    recalled = held(out).get(keys)
    assert [record.state for record in recalled if record] == [State.FAILED] * len(keys)


def test_back_to_an_earlier_split_nothing_older_is_believed(source, tmp_path):
    out = tmp_path / "out"
    run(source, out, *parts(2))
    (written,) = run(source, out, "1/1", quality=50)
    assert written.counts.done == 24
    reports = run(source, out, *parts(2))
    assert sum(report.counts.done for report in reports) == 24
    check_complete(out, outputs(out))


def test_a_complete_split_makes_the_one_before_superfluous(source, tmp_path):
    out = tmp_path / "out"
    run(source, out, *parts(2))
    run(source, out, *parts(4))
    assert {each.shard.count for each in held(out).ledger_files} == {4}
    assert {each.shard.count for each in find_ledger_files(out / ".pixmill")} == {2, 4}


def test_a_shard_waits_for_one_of_another_split_that_has_images_of_its_own(source, tmp_path):
    out = tmp_path / "out"
    with pixmill.open_run(source, out, executor="inline", shard="1/2") as under_way:
        assert LedgerFile(Shard(1, 2), out / ".pixmill" / "shard-1-of-2").is_running()
        with pytest.raises(pixmill.RunError, match="shard 1/2 is being run"):
            pixmill.run(source, out, executor="inline", shard="3/4")
        assert pixmill.run(source, out, executor="inline", shard="2/4").is_complete
        assert sum(1 for _ in under_way) > 0
    assert not LedgerFile(Shard(1, 2), out / ".pixmill" / "shard-1-of-2").is_running()


def test_a_copy_from_another_machine_runs_as_long_as_its_owner_gave_a_sign_of_life(source, tmp_path):
    out = tmp_path / "out"
    run(source, out, "1/2")
    holding = LedgerFile(Shard(1, 2), out / ".pixmill" / "shard-1-of-2")
    (holding.folder / "brought").write_text("somebody 1000.5 7")
    assert holding.is_running(now=lambda: 1080.0)
    assert not holding.is_running(now=lambda: 1100.0)
    (holding.folder / "brought").write_text(f"somebody {time.time()} 7")
    assert status.status(held(out)).shards[0].condition == "finished"


def test_a_run_that_is_asked_whether_it_runs_can_still_begin(source, tmp_path):
    out = tmp_path / "out"
    run(source, out, "1/2")
    holding = LedgerFile(Shard(1, 2), out / ".pixmill" / "shard-1-of-2")
    done = threading.Event()

    def ask():
        while not done.wait(0.001):
            holding.is_running()

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(5):
            assert run(source, out, "1/2")[0].is_complete
    finally:
        done.set()
        asker.join()


def parts(count):
    return [f"{index}/{count}" for index in range(1, count + 1)]
