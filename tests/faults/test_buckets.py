"""SRC and DST in a bucket: kills, another machine, two machines at once, and a network that is as bad as it gets."""

import json
import os
import re
import signal
from urllib.parse import urlsplit

import pytest

from pixmill.core.errors import WriteError
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.storage import Replacing, WrittenFile, content_digest
from support.fault_run import COMMAND
from support.gcs_emulator import GoogleProxy
from support.machines import Machine
from support.object_store_servers import BUCKET, open_s3_server
from support.picture_bucket import PictureBucket
from support.processes import wait_until
from support.proxy import Faults, fault_proxy, running

PATIENCE = 240
WORDS = ("--size", "200x200", "--format", "webp", "--progress", "plain")


@pytest.fixture
def bucket(s3, gallery):
    return lambda count: PictureBucket(s3, gallery(count))


@pytest.fixture
def machine(tmp_path):
    made = []

    def machine(name, endpoint=None):
        made.append(Machine(COMMAND, tmp_path / name, endpoint or os.environ.get("AWS_ENDPOINT_URL", "")))
        return made[-1]

    yield machine
    for each in made:
        each.leave()


def counts(machine, destination):
    status = json.loads(machine.run("status", destination, "--json")[0])
    return status["done"], status["failed"], status["pending"]


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_killed_run_goes_on_where_it_stopped(bucket, machine, gallery, undisturbed):
    place, here = bucket(60), machine("here")
    expected = undisturbed(gallery(60), WORDS)
    process = here.start("run", place.source, place.destination, *WORDS)
    wait_until(lambda: place.versions() or process.poll() is not None, seconds=PATIENCE)
    kill(process)
    before = place.versions()
    here.run("run", place.source, place.destination, *WORDS)
    assert place.outputs() == expected
    assert counts(here, place.destination) == (60, 0, 0)
    again = here.run("run", place.source, place.destination, *WORDS)[1]
    assert "skipped   60 images" in again
    assert before.keys() <= place.versions().keys()
    assert here.run("verify", place.destination)


def test_another_machine_goes_on_with_what_the_first_has_done(bucket, machine):
    place, here, there = bucket(12), machine("here"), machine("there")
    here.run("run", place.source, place.destination, *WORDS)
    before = place.versions()
    assert counts(there, place.destination) == (12, 0, 0)
    source = open_storage(place.source)
    source.write(b"broken.jpg", b"\xff\xd8\xff\xe0 no picture", durable=True)
    said = there.run("run", place.source, place.destination, *WORDS, code=1)[1]
    assert "skipped   12 images" in said
    assert place.versions() == before
    # and the first with what the second has done, which it is told of although it has a ledger of its own
    assert counts(here, place.destination) == (12, 1, 0)
    assert "broken.jpg" in here.run("failures", place.destination)[0]
    whole = source.read(source_name(source), limit=1 << 24)
    source.write(b"broken.jpg", whole, durable=True, replacing=Replacing(others=True))
    here.run("retry", place.destination, "--quiet")
    assert counts(there, place.destination) == (13, 0, 0)


def source_name(source):
    return next(entry.path for listing in source.list() for entry in listing if b"broken" not in entry.path)


def test_a_retry_on_another_machine_tries_again_what_failed(bucket, machine):
    place, here, there = bucket(3), machine("here"), machine("there")
    open_storage(place.source).write(b"broken.jpg", b"\xff\xd8\xff\xe0 no picture", durable=True)
    here.run("run", place.source, place.destination, *WORDS, code=1)
    said = there.run("retry", place.destination, code=1)[1]
    assert "retrying 1 failed image" in said
    assert "before this run" not in said


def test_the_ledger_is_believed_no_further_than_the_outputs(bucket, machine, gallery, undisturbed):
    place, here, there = bucket(12), machine("here"), machine("there")
    here.run("run", place.source, place.destination, *WORDS)
    destination = open_storage(place.destination)
    first, second = sorted(place.versions())[:2]
    destination.delete(first)
    destination.write(second, b"cut", durable=True, replacing=Replacing(others=True))
    assert len(there.run("verify", place.destination, code=1)[0].splitlines()) == 2
    said = there.run("run", place.source, place.destination, *WORDS)[1]
    assert "skipped   10 images" in said
    assert "skipped   1 image: an output was changed" in said
    assert destination.read(second, limit=9) == b"cut"
    there.run("verify", place.destination, "--repair")
    assert place.outputs() == undisturbed(gallery(12), WORDS)


def test_an_object_that_was_changed_stays_and_fails_its_image_alone(bucket, machine):
    place, here = bucket(4), machine("here")
    here.run("run", place.source, place.destination, *WORDS)
    destination = open_storage(place.destination)
    first, second, third = sorted(place.versions())[:3]
    destination.write(first, b"edited", durable=True, replacing=Replacing(others=True))
    data = destination.read(second, limit=1 << 24)
    destination.delete(second)
    destination.write(second, data, durable=True)  # the same bytes
    destination.delete(third)
    said = here.run("run", place.source, place.destination, *WORDS, "--quality", "31", code=1)[1]
    assert "done      3 images" in said
    assert f"exists: 1 ({os.fsdecode(first).removesuffix('.webp')}" in said
    assert destination.read(first, limit=9) == b"edited"
    again = here.run("run", place.source, place.destination, *WORDS, "--quality", "31", "--json", code=1)[0]
    assert '"event":"attempt_started"' not in again
    here.run("run", place.source, place.destination, *WORDS, "--quality", "31", "--existing", "replace")
    assert counts(here, place.destination) == (4, 0, 0)


def test_one_name_that_is_taken_leaves_all_outputs_of_its_image_unwritten(bucket, machine):
    place, here = bucket(1), machine("here")
    words = ("--sizes", "16,32", "--formats", "webp", "--progress", "plain")
    here.run("run", place.source, place.destination, *words)
    names = sorted(place.versions())
    destination = open_storage(place.destination)
    for name in names:
        destination.delete(name)
    other = bucket(1)
    open_storage(other.destination).write(names[1], b"mine", durable=True)
    here.run("run", other.source, other.destination, *words, code=1)
    assert other.outputs() == {os.fsdecode(names[1]): b"mine"}


@pytest.mark.parametrize("is_own", [False, True])
def test_a_put_whose_answer_is_lost_is_done_and_not_occupied(s3, monkeypatch, is_own):
    upstream = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    with fault_proxy(upstream, Faults(lost=3)) as proxy:  # the third request, and no other of the first five
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        storage = open_storage(f"s3://{s3}/lost/{is_own}")
        storage.stat(b"other")
        first = storage.write(b"a" if is_own else b"b", b"first", durable=True)
        replacing = Replacing(own=(WrittenFile(first, content_digest(b"first")),) if is_own else ())
        with pytest.raises(WriteError) as raised:
            storage.write(b"a", b"second", durable=True, replacing=replacing)
        assert (raised.value.retryable, proxy.seen["lost"]) == (True, 1)
        written = storage.write(b"a", b"second", durable=True, replacing=replacing)
        assert proxy.seen["requests"] == 5
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{upstream}")
    assert open_storage(f"s3://{s3}/lost/{is_own}").version_of(b"a") == written


class WithoutConditions(GoogleProxy):
    """A store that ignores the conditions of requests."""

    def asked(self, head):
        return re.sub(rb"(?i)\r\nx-goog-if-generation-match: *\d+", b"", head)


def test_where_a_store_ignores_conditions_that_is_said_once_and_nothing_is_replaced(tmp_path, gallery, machine, monkeypatch):
    with open_s3_server(tmp_path / "files") as port:
        proxy = WithoutConditions(port, Faults())
        with running(proxy):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{proxy.port}")
            place = PictureBucket(BUCKET, gallery(3), scheme="gs")
            destination = open_storage(place.destination)
            assert not destination.honours_conditions(b".pixmill/probe", RetryPolicy())
            here = machine("here")
            here.run("run", place.source, place.destination, *WORDS)
            taken = min(place.versions())
            destination.write(taken, b"edited", durable=True, replacing=Replacing(others=True))
            said = here.run("run", place.source, place.destination, *WORDS, "--quality", "31", code=1)[1]
            assert said.count("ignores the conditions") == 1
            assert destination.read(taken, limit=9) == b"edited"
            assert counts(here, place.destination) == (2, 1, 0)


def test_two_machines_never_write_to_one_output(bucket, machine):
    place, here, there = bucket(3), machine("here"), machine("there")
    process = here.start("run", place.source, place.destination, *WORDS, "--max-rate", "0.02/s")
    wait_until(lambda: place.versions() or process.poll() is not None, seconds=PATIENCE)
    refused = there.run("run", place.source, place.destination, *WORDS, code=3)[1]
    assert f"(process {process.pid} on " in refused
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    there.run("run", place.source, place.destination, *WORDS)
    assert counts(there, place.destination) == (3, 0, 0)


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_the_other_stores_hold_a_run_a_lease_and_a_ledger_too(scheme, request, machine, gallery, undisturbed):
    place = PictureBucket(request.getfixturevalue(scheme), gallery(12), scheme=scheme)
    here, there = machine("here"), machine("there")
    process = here.start("run", place.source, place.destination, *WORDS, "--max-rate", "0.02/s")
    wait_until(lambda: place.versions() or process.poll() is not None, seconds=PATIENCE)
    assert f"(process {process.pid} on " in there.run("run", place.source, place.destination, *WORDS, code=3)[1]
    kill(process)
    here.run("run", place.source, place.destination, *WORDS)
    assert place.outputs() == undisturbed(gallery(12), WORDS)
    assert counts(there, place.destination) == (12, 0, 0)


ALONE = {
    "bursts of 503": Faults(cycle=40, burst=6),
    "resets": Faults(reset=7, latency=0.01),
    "short answers and latency": Faults(short=6, latency=0.05),
    "lost answers": Faults(lost=9),
}
TOGETHER = Faults(cycle=40, burst=5, reset=11, short=13, lost=17, latency=0.02)


def test_shards_run_on_several_machines_and_are_read_as_one(bucket, machine, gallery, undisturbed):
    place, here, there = bucket(12), machine("here"), machine("there")
    process = here.start("run", place.source, place.destination, *WORDS, "--shard", "1/2", "--max-rate", "0.02/s")
    wait_until(lambda: place.versions() or process.poll() is not None, seconds=PATIENCE)
    there.run("run", place.source, place.destination, *WORDS, "--shard", "2/2")
    assert "another run is writing" in there.run("run", place.source, place.destination, *WORDS, code=3)[1]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    here.run("run", place.source, place.destination, *WORDS, "--shard", "1/2")
    assert place.outputs() == undisturbed(gallery(12), WORDS)
    assert counts(machine("multi"), place.destination) == (12, 0, 0)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(TOGETHER, id="all together"),
        *(pytest.param(faults, id=name, marks=pytest.mark.long) for name, faults in ALONE.items()),
    ],
)
def test_nothing_is_lost_doubled_or_partial_on_a_bad_network(bucket, machine, gallery, undisturbed, faults):
    place = bucket(40)
    with fault_proxy(urlsplit(os.environ["AWS_ENDPOINT_URL"]).port, faults) as proxy:
        far = machine("far", f"http://127.0.0.1:{proxy.port}")
        out, _ = far.run("run", place.source, place.destination, *WORDS, "--json")
    injected = sum(count for name, count in proxy.seen.items() if name != "requests")
    assert injected > 5
    finished = [json.loads(line) for line in out.splitlines()]
    assert place.outputs() == undisturbed(gallery(40), WORDS)
    report = finished[-1]
    assert (report["counts"]["done"], report["counts"]["failed"], report["counts"]["pending"]) == (40, 0, 0)
    if faults.burst:
        assert report["throttled"] > 0
    assert counts(machine("far"), place.destination) == (40, 0, 0)


def test_no_credential_is_written_or_said(bucket, machine, tmp_path):
    place, here = bucket(3), machine("here")
    log, page = tmp_path / "log.jsonl", tmp_path / "report.html"
    said = here.run("run", place.source, place.destination, *WORDS, "--json", "--log-file", str(log), "--debug")
    here.run("report", place.destination, "-o", str(page))
    wrong = machine("wrong")
    wrong.environment["AWS_SECRET_ACCESS_KEY"] = "another-secret"
    refused = wrong.run("run", place.source, place.destination, *WORDS, "--debug", code=3)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    stored = b"".join(
        storage.read(entry.path, limit=1 << 24)
        for storage in [open_storage(place.destination)]
        for each in storage.list()
        for entry in each
    )
    everything = kept + stored + "".join((*said, *refused)).encode()
    for secret in (os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_ACCESS_KEY_ID"], "another-secret"):
        assert secret.encode() not in everything
