"""What is found is removed only while it is as it was found, and what another image may need stays."""

import os
from contextlib import closing
from hashlib import blake2b

import pytest

from pixmill.batch.item import ImageResult, OutputRecord, pack, unpack
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.pruning.origins import Origin, Origins
from pixmill.batch.pruning.presence import ListedPaths
from pixmill.batch.pruning.removal import Remover
from pixmill.batch.pruning.search import Compare, Search
from pixmill.engine.ledger import Record
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


class Output:
    """An output with one ledger: the image ``a`` is gone, ``b`` is there."""

    def __init__(self, folder, ledger):
        self.folder = folder
        self.address = Address.parse(folder)
        self.ledger = ledger

    def record(self, key, *names, former=()):
        """Write the outputs of the image ``key``, record them, and give it their names."""

        def written(name):
            path = self.folder / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name)
            return OutputRecord(name, len(name), 1, 1, "jpeg", blake2b(name, digest_size=16).digest())

        result = ImageResult(tuple(map(written, names)), former=tuple(map(written, former)))
        self.ledger.import_records([Record(key=key, id=b"1", state=State.DONE, result=pack(result))])
        self.ledger.claim((name_key(name), key) for name in (*names, *former))

    def search(self, *, whole=True):
        origin = Origin(b"", [ListedPaths(lambda _: [b"b"], b"in")])
        search = Search([self.ledger], Origins([origin]), [{b"": whole}])
        compare = Compare(open_storage(self.address), self.address, follow_links=False)
        search.read(open_storage(self.address), self._owners, selected=None, compare=compare)
        return search

    def remove(self, search):
        Remover([self.ledger], self.address, folds=False).remove(search.removals())

    def _owners(self, name):
        return {owner for _, owner in self.ledger.owners(name_key(name), name_key(name) + b"\0")}


@pytest.fixture
def output(tmp_path):
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as ledger:
        yield Output(tmp_path / "out", ledger)


def files(output):
    return sorted(path.relative_to(output.folder).as_posix() for path in output.folder.rglob("*") if path.is_file())


def test_outputs_records_and_names_go_and_those_of_the_other_image_stay(output):
    output.record(b"a", b"x/a.jpg", former=[b"x/a.png"])
    output.record(b"b", b"x/b.jpg", former=[b"y/b.png"])
    search = output.search()
    assert {reason: part.files for reason, part in search.result.removed.items()} == {"source-gone": 2, "not-requested": 1}
    assert search.result.outputs == 4
    output.remove(search)
    assert files(output) == ["x/b.jpg"]
    assert not (output.folder / "y").exists()
    (record,) = output.ledger.records()
    assert (record.key, unpack(record.result).former) == (b"b", ())
    assert list(output.ledger.owners(b"", b"\xff")) == [(name_key(b"x/b.jpg"), b"b")]


def test_an_output_whose_name_another_image_owns_stays(output):
    output.record(b"b", b"shared.jpg")
    output.record(b"a", b"shared.jpg", b"a.jpg")
    search = output.search()
    assert search.result.kept["name-of-another"].first == ["shared.jpg"]
    output.remove(search)
    assert files(output) == ["shared.jpg"]
    assert [record.key for record in output.ledger.records()] == [b"b"]


def test_a_file_that_changes_after_it_was_found_stays(output):
    output.record(b"a", b"a.jpg")
    search = output.search()
    (output.folder / "a.jpg").write_bytes(b"A.jpg")
    os.utime(output.folder / "a.jpg", ns=(1, 1))
    output.remove(search)
    assert files(output) == ["a.jpg"]


def test_outputs_of_earlier_recipes_stay_if_the_last_run_left_images_out(output):
    output.record(b"b", b"b.jpg", former=[b"b.png"])
    search = output.search(whole=False)
    assert (search.result.files, search.result.kept["last-run-partial"].files) == (0, 1)
    output.remove(search)
    assert files(output) == ["b.jpg", "b.png"]


def test_an_earlier_output_that_was_changed_stays_and_stays_recorded(output):
    output.record(b"b", b"b.jpg", former=[b"b.png", b"b.gif"])
    (output.folder / "b.png").write_bytes(b"edited")
    output.remove(output.search())
    assert files(output) == ["b.jpg", "b.png"]
    (record,) = output.ledger.records()
    assert [each.name for each in unpack(record.result).former] == [b"b.png"]
