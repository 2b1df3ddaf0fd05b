import pytest

from pixmill.batch.item import ImageResult, OutputRecord, pack
from pixmill.batch.state.outputs import MAX_AGE, StoredOutputsExist
from pixmill.engine.ledger import Record
from pixmill.engine.task import State, Task
from pixmill.storage.schemes.memory import MemoryStorage


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
    outputs = tuple(OutputRecord(name, size, 1, 1, "jpeg", b"") for name in names)
    return Record(key=b"a", id=b"", state=State.DONE, result=pack(ImageResult(outputs)))


def test_a_folder_is_listed_once_and_no_output_is_asked_for(storage):
    stands = StoredOutputsExist(storage)
    assert all(stands(Task.of("a"), record(b"%02d/%02d.jpg" % (folder, number))) for folder in range(20) for number in range(50))
    assert (storage.listings, storage.looks) == (20, 0)


def test_what_is_missing_or_has_another_size_does_not_stand(storage):
    stands = StoredOutputsExist(storage)
    assert not stands(Task.of("a"), record(b"00/00.jpg", b"00/gone.jpg"))
    assert not stands(Task.of("a"), record(b"00/00.jpg", size=6))
    assert not stands(Task.of("a"), record(b"nowhere/00.jpg"))
    assert not stands(Task.of("a"), record(b"top.jpg"))


def test_a_listing_grows_old(storage):
    now = [0.0]
    stands = StoredOutputsExist(storage, clock=lambda: now[0])
    assert stands(Task.of("a"), record(b"00/00.jpg"))
    storage.delete(b"00/00.jpg")
    now[0] = MAX_AGE + 1
    assert not stands(Task.of("a"), record(b"00/00.jpg"))
