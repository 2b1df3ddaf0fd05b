import os

import msgspec
import pytest

from pixmill.batch.item import ImageResult, OutputRecord, pack, unpack
from pixmill.batch.state.outputs import MAX_AGE, OUTPUT_CHANGED, ConfirmedRecords, LocalOutputsExist, StoredOutputsExist
from pixmill.engine.ledger import Record
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.task import Attempt, Done, State, Task
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.schemes.memory import MemoryStorage
from pixmill.storage.storage import Replacing, content_digest


class Counting(MemoryStorage):
    """A storage that counts what it is asked."""

    def __init__(self):
        super().__init__()
        self.listings = self.looks = 0

    def list(self, under=b"", **how):
        self.listings += 1
        return super().list(under, **how)

    def stat(self, path):
        self.looks += 1
        return super().stat(path)


@pytest.fixture
def storage():
    made = Counting()
    for folder in range(20):
        for number in range(50):
            made.write(b"%02d/%02d.jpg" % (folder, number), b"12345", durable=True)
    return made


def record(*names, size=5):
    return done(*(OutputRecord(name, size, 1, 1, "jpeg", b"") for name in names))


def done(*outputs):
    return Record(key=b"a", id=b"", state=State.DONE, result=pack(ImageResult(outputs)))


def written(storage, name, data=b"12345"):
    """Write an output and return its record."""
    version = storage.write(name, data, durable=False, replacing=Replacing(others=True))
    return OutputRecord(name, len(data), 1, 1, "jpeg", content_digest(data)).with_version(version)


@pytest.fixture(params=["local", "stored"])
def place(request, tmp_path):
    """Return a storage, and a function that returns a new check of the outputs in it."""
    if request.param == "local":
        return FileStorage(os.fsencode(tmp_path)), lambda **options: LocalOutputsExist(tmp_path, **options)
    made = MemoryStorage()
    return made, lambda **options: StoredOutputsExist(made, **options)


def test_an_output_with_its_recorded_version_is_not_read(place):
    storage, check = place
    output = written(storage, b"a/b.jpg")
    unread = msgspec.structs.replace(output, digest=b"of something else")
    assert check()(Task.of("a"), done(unread)) is True


@pytest.mark.parametrize(
    ("content", "holds"), [(b"54321", OUTPUT_CHANGED), (b"123", OUTPUT_CHANGED), (b"12345", True), (b"", False)]
)
def test_the_content_decides_if_the_version_differs(place, content, holds):
    storage, check = place
    output = written(storage, b"a/b.jpg")
    storage.delete(b"a/b.jpg")
    storage.write(b"other", b"takes the inode", durable=False)
    storage.write(b"a/b.jpg", content, durable=False)
    assert check()(Task.of("a"), done(output)) == holds


def test_a_missing_output_is_made_again_though_another_was_changed(place):
    storage, check = place
    outputs = [written(storage, b"a.jpg"), written(storage, b"b.jpg")]
    written(storage, b"a.jpg", b"54321")
    storage.delete(b"b.jpg")
    assert check()(Task.of("a"), done(*outputs)) is False


def test_a_confirmed_output_is_stored_with_its_version(place):
    storage, check = place
    ledger, task = MemoryLedger(), Task.of("a")
    outputs = (written(storage, b"a.jpg"), written(storage, b"b.jpg"))
    ledger.get_or_add([task])
    ledger.start_attempts([Attempt(task)])
    ledger.record_outcomes([Done(task=task, result=pack(ImageResult(outputs)))])
    again = written(storage, b"a.jpg")
    (before,) = ledger.get([task.key])
    confirmed = ConfirmedRecords(ledger)
    assert check(on_confirmed=confirmed.add)(task, before) is True
    confirmed.flush()
    (after,) = ledger.get([task.key])
    assert unpack(after.result).outputs == (again, outputs[1])
    assert msgspec.structs.replace(after, result=before.result) == before


def test_a_record_that_changed_meanwhile_is_not_overwritten(place):
    storage, check = place
    ledger, task = MemoryLedger(), Task.of("a")
    ledger.get_or_add([task])
    ledger.start_attempts([Attempt(task)])
    ledger.record_outcomes([Done(task=task, result=pack(ImageResult((written(storage, b"a.jpg"),))))])
    (before,) = ledger.get([task.key])
    written(storage, b"a.jpg")
    confirmed = ConfirmedRecords(ledger)
    check(on_confirmed=confirmed.add)(task, before)
    ledger.renew([task])
    confirmed.flush()
    assert ledger.get([task.key])[0].state is State.PENDING


def test_a_record_without_a_version_is_judged_by_its_size(place):
    storage, check = place
    output = msgspec.structs.replace(written(storage, b"a.jpg"), mtime_ns=0, inode=0, etag=b"")
    written(storage, b"a.jpg", b"54321")
    assert check()(Task.of("a"), done(output)) is True
    written(storage, b"a.jpg", b"543210")
    assert check()(Task.of("a"), done(output)) == OUTPUT_CHANGED


def test_a_row_of_an_earlier_version_is_read():
    fields = [b"a.jpg", 5, 1, 1, "jpeg", b"", "", b""]
    (output,) = unpack(msgspec.msgpack.encode([[fields]])).outputs
    assert output == OutputRecord(b"a.jpg", 5, 1, 1, "jpeg", b"")
    assert not output.version.is_exact


def test_a_folder_is_listed_once_and_no_output_is_asked_for(storage):
    stands = StoredOutputsExist(storage)
    assert all(stands(Task.of("a"), record(b"%02d/%02d.jpg" % (folder, number))) for folder in range(20) for number in range(50))
    assert (storage.listings, storage.looks) == (20, 0)


def test_what_is_missing_does_not_stand_and_what_has_another_size_was_changed(storage):
    stands = StoredOutputsExist(storage)
    assert not stands(Task.of("a"), record(b"00/00.jpg", b"00/gone.jpg"))
    assert stands(Task.of("a"), record(b"00/00.jpg", size=6)) == OUTPUT_CHANGED
    assert not stands(Task.of("a"), record(b"nowhere/00.jpg"))
    assert not stands(Task.of("a"), record(b"top.jpg"))


def test_a_listing_grows_old(storage):
    now = [0.0]
    stands = StoredOutputsExist(storage, clock=lambda: now[0])
    assert stands(Task.of("a"), record(b"00/00.jpg"))
    storage.delete(b"00/00.jpg")
    now[0] = MAX_AGE + 1
    assert not stands(Task.of("a"), record(b"00/00.jpg"))
