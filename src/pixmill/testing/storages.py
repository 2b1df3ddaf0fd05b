"""Tests for every storage scheme. Subclass ``StorageSuite`` in a test module, define the fixture ``storage``, run pytest."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from pixmill.core.errors import AddressError, ReadError, WriteError
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import Replacing, Storage, WrittenFile, content_digest

_ODD_NAMES = [
    b"-x.jpg",
    b"a b.jpg",
    b"a:b.jpg",
    b"a\nb.jpg",
    b"\x1b[31m.jpg",
    b"\xc3\xa4.jpg",
    b"100%.jpg",
    b"a?b#c.jpg",
    b"a'b\"c.jpg",
    b"a\\b",
    b"\xe4.jpg",
    b"50%0A%250A%20.jpg",
]
_BAD_PATHS = [b"", b"/a", b"..", b"../a", b"a/../b", b".", b"./a", b"a/.", b"a//b", b"a/", b"a\0b"]


class StorageSuite:
    """The contract of ``Storage`` as tests.

    ``keeps_times``: whether a modification time can be set, ``has_exact_times``: to the nanosecond; ``impossible``: odd names that
    the server does not support.
    """

    keeps_times: ClassVar[bool] = True
    has_exact_times: ClassVar[bool] = True
    impossible: ClassVar[frozenset[bytes]] = frozenset()

    @pytest.fixture
    def storage(self) -> Iterator[Storage]:
        """Return the storage under test, empty."""
        raise NotImplementedError

    def test_what_was_written_can_be_read(self, storage: Storage) -> None:
        storage.write(b"a/b/c.jpg", b"\0\xffdata", durable=True)
        assert storage.read(b"a/b/c.jpg", limit=100) == b"\0\xffdata"

    def test_nothing_is_there_at_first(self, storage: Storage) -> None:
        assert storage.stat(b"a.jpg") is None
        with pytest.raises(ReadError) as raised:
            storage.read(b"a.jpg", limit=10)
        assert raised.value.code == "read-vanished"
        assert not raised.value.retryable

    def test_an_entry_says_its_size_and_its_path(self, storage: Storage) -> None:
        storage.write(b"a/b", b"12345", durable=False)
        entry = storage.stat(b"a/b")
        assert entry
        assert (entry.path, entry.size) == (b"a/b", 5)

    def test_a_write_replaces_what_was_there(self, storage: Storage) -> None:
        own = (WrittenFile(storage.write(b"a", b"old and longer", durable=True), content_digest(b"old and longer")),)
        before = storage.stat(b"a")
        storage.write(b"a", b"new", durable=True, replacing=Replacing(own=own))
        after = storage.stat(b"a")
        assert storage.read(b"a", limit=100) == b"new"
        assert before
        assert after
        assert (before.size, before.version) != (after.size, after.version)

    @pytest.mark.parametrize("size", [5, 20_000_000])
    def test_what_is_there_is_not_replaced_unless_that_is_allowed(self, storage: Storage, size: int) -> None:
        storage.write(b"a", b"theirs", durable=True)
        with pytest.raises(WriteError) as raised:
            storage.write(b"a", bytes(size), durable=True)
        assert raised.value.code == "exists"
        assert storage.read(b"a", limit=100) == b"theirs"
        storage.write(b"a", b"ours", durable=True, replacing=Replacing(others=True))
        assert storage.read(b"a", limit=100) == b"ours"

    def test_the_very_same_bytes_count_as_written(self, storage: Storage) -> None:
        storage.write(b"a/b", b"same", durable=True)
        before = storage.stat(b"a/b")
        storage.write(b"a/b", b"same", durable=True)
        assert storage.stat(b"a/b") == before

    def test_a_write_returns_the_version_of_the_file(self, storage: Storage) -> None:
        first = storage.write(b"a/b", b"12345", durable=True)
        assert first == storage.version_of(b"a/b")
        assert (first.size, first.is_exact) == (5, True)
        assert storage.write(b"a/b", b"12345", durable=True) == first
        second = storage.write(b"a/b", b"54321", durable=True, replacing=Replacing(others=True))
        assert first != second == storage.version_of(b"a/b")
        assert storage.version_of(b"a/c") is None

    def test_what_was_written_is_replaced_only_while_it_is_what_it_was(self, storage: Storage) -> None:
        own = (WrittenFile(storage.write(b"a", b"ours", durable=True), content_digest(b"ours")),)
        storage.write(b"a", b"edit", durable=True, replacing=Replacing(others=True))
        with pytest.raises(WriteError) as raised:
            storage.write(b"a", b"new", durable=True, replacing=Replacing(own=own))
        assert raised.value.code == "exists"
        edited = storage.version_of(b"a")
        assert edited
        assert raised.value.evidence == edited.evidence()
        assert storage.read(b"a", limit=9) == b"edit"

    def test_what_was_written_is_recognised_by_its_content(self, storage: Storage) -> None:
        own = (WrittenFile(storage.write(b"a", b"ours", durable=True), content_digest(b"ours")),)
        storage.write(b"a", b"edit", durable=True, replacing=Replacing(others=True))
        storage.write(b"a", b"ours", durable=True, replacing=Replacing(others=True))
        storage.write(b"a", b"new", durable=True, replacing=Replacing(own=own))
        assert storage.read(b"a", limit=9) == b"new"

    def test_the_content_decides_where_only_the_size_was_recorded(self, storage: Storage) -> None:
        own = (WrittenFile(FileVersion(4), content_digest(b"ours")),)
        storage.write(b"a", b"edit", durable=True)
        with pytest.raises(WriteError):
            storage.write(b"a", b"new", durable=True, replacing=Replacing(own=own))
        storage.write(b"b", b"ours", durable=True)
        storage.write(b"b", b"new", durable=True, replacing=Replacing(own=own))
        assert (storage.read(b"a", limit=9), storage.read(b"b", limit=9)) == (b"edit", b"new")

    def test_what_was_written_and_deleted_is_written_again(self, storage: Storage) -> None:
        own = (WrittenFile(storage.write(b"a", b"ours", durable=True), content_digest(b"ours")),)
        storage.delete(b"a")
        storage.write(b"a", b"new", durable=True, replacing=Replacing(own=own))
        assert storage.read(b"a", limit=9) == b"new"

    def test_where_conditions_are_ignored_the_path_is_checked_first(self, storage: Storage) -> None:
        unconditional = Replacing(is_conditional=False)
        storage.write(b"a", b"theirs", durable=True, replacing=unconditional)
        with pytest.raises(WriteError) as raised:
            storage.write(b"a", b"ours", durable=True, replacing=unconditional)
        assert raised.value.code == "exists"
        assert storage.read(b"a", limit=9) == b"theirs"

    def test_a_name_is_occupied_by_what_has_it(self, storage: Storage) -> None:
        storage.write(b"a/b", b"1", durable=False)
        assert storage.is_occupied(b"a/b")
        assert not storage.is_occupied(b"a/c")
        assert not storage.is_occupied(b"c/b")

    def test_an_empty_file_is_a_file(self, storage: Storage) -> None:
        storage.write(b"empty", b"", durable=True)
        assert storage.read(b"empty", limit=0) == b""
        assert storage.head(b"empty", 10) == b""

    def test_more_than_the_limit_is_refused(self, storage: Storage) -> None:
        storage.write(b"a", b"12345", durable=False)
        assert storage.read(b"a", limit=5) == b"12345"
        with pytest.raises(ReadError) as raised:
            storage.read(b"a", limit=4)
        assert raised.value.code == "limit-bytes"

    def test_a_version_is_read_only_while_it_is_the_one_listed(self, storage: Storage) -> None:
        storage.write(b"a", b"12345", durable=False)
        entry = storage.stat(b"a")
        assert entry
        assert storage.read_version(entry, limit=5) == b"12345"
        with pytest.raises(ReadError) as raised:
            storage.read_version(entry, limit=4)
        assert raised.value.code == "limit-bytes"
        storage.write(b"a", b"123456", durable=False, replacing=Replacing(others=True))
        with pytest.raises(ReadError) as raised:
            storage.read_version(entry, limit=10)
        assert raised.value.code == "changed"

    def test_the_head_is_the_first_bytes(self, storage: Storage) -> None:
        storage.write(b"a", b"12345", durable=False)
        assert storage.head(b"a", 3) == b"123"
        assert storage.head(b"a", 30) == b"12345"

    def test_a_directory_is_not_a_file(self, storage: Storage) -> None:
        storage.write(b"a/b", b"1", durable=False)
        assert storage.stat(b"a") is None
        with pytest.raises(ReadError):
            storage.read(b"a", limit=10)

    def test_deleting_twice_is_deleting_once(self, storage: Storage) -> None:
        storage.write(b"a/b", b"1", durable=False)
        storage.delete(b"a/b")
        storage.delete(b"a/b")
        storage.delete(b"never/was")
        assert storage.stat(b"a/b") is None

    def test_a_modification_time_is_the_version(self, storage: Storage) -> None:
        if not self.keeps_times:
            pytest.skip("the scheme has no modification time that can be set")
        for name, time in ((b"a", 1_000_000_007), (b"b", 1_000_000_007), (b"c", 2_000_000_011)):
            storage.write(name, b"1", durable=True, mtime_ns=time)
        versions = [entry.version for listing in storage.list() for entry in listing]
        assert versions[0] == versions[1] != versions[2]

    def test_a_modification_time_is_known(self, storage: Storage) -> None:
        if not (self.keeps_times and self.has_exact_times):
            pytest.skip("the scheme has no exact modification time that can be set")
        storage.write(b"a", b"1", durable=True, mtime_ns=1_000_000_007)
        assert storage.modified_ns(b"a") == 1_000_000_007
        assert storage.modified_ns(b"nothing") is None

    def test_a_listing_is_sorted_directory_by_directory(self, storage: Storage) -> None:
        for path in (b"b/2", b"b/10", b"a/z/1", b"z", b"a.b/1", b"a/1", b"B", b"a/z/0"):
            storage.write(path, b"1", durable=False)
        listings = [[entry.path for entry in listing] for listing in storage.list()]
        assert listings == [[b"B", b"z"], [b"a/1"], [b"a/z/0", b"a/z/1"], [b"a.b/1"], [b"b/10", b"b/2"]]

    def test_a_listing_can_begin_further_down(self, storage: Storage) -> None:
        for path in (b"a/1", b"a/b/2", b"ab/3"):
            storage.write(path, b"1", durable=False)
        assert [entry.path for listing in storage.list(b"a") for entry in listing] == [b"a/1", b"a/b/2"]

    def test_a_listing_enters_only_the_directories_it_is_let_into(self, storage: Storage) -> None:
        for path in (b"a/1", b"a/no/2", b"no/deep/3", b"4"):
            storage.write(path, b"1", durable=False)
        listings = storage.list(descend=lambda directory: not directory.endswith(b"no"))
        assert [entry.path for listing in listings for entry in listing] == [b"4", b"a/1"]

    def test_descend_is_called_for_the_folders_beside_entries_first(self, storage: Storage) -> None:
        for path in (b"1", b"a/2", b"a/b/3", b"c/d/4"):
            storage.write(path, b"1", durable=False)
        asked: list[bytes] = []
        seen: dict[bytes, set[bytes]] = {}

        def enter(directory: bytes) -> bool:
            asked.append(directory)
            return True

        for listing in storage.list(descend=enter):
            seen[listing[0].path] = set(asked)
        assert seen[b"1"] >= {b"a", b"c"}
        assert seen[b"a/2"] >= {b"a", b"a/b", b"c"}

    def test_a_listing_in_parts_has_the_same_entries(self, storage: Storage) -> None:
        for path in (b"b/2", b"b/1", b"c", b"B", b"b/d/3", b"no/4"):
            storage.write(path, b"1", durable=False)
        whole = [entry for listing in storage.list(descend=lambda folder: folder != b"no") for entry in listing]
        parts = storage.list_parts(bytes.lower, descend=lambda folder: folder != b"no")
        assert [entry for part in parts for entry in part] == whole

    def test_a_listing_of_wanted_names_has_no_others(self, storage: Storage) -> None:
        for path in (b"a/x1", b"a/y", b"a/x2", b"a/xd/x3", b"a/xd/y", b"a/d/x4", b"x5"):
            storage.write(path, b"1", durable=False)
        asked: list[bytes] = []

        def enter(folder: bytes) -> bool:
            asked.append(folder)
            return True

        listings = [[entry.path for entry in listing] for listing in storage.list_wanted(b"a", is_wanted, descend=enter)]
        assert (listings, set(asked)) == ([[b"a/x1", b"a/x2"], [b"a/xd/x3"]], {b"a/xd"})

    def test_entries_of_a_listing_are_those_of_stat(self, storage: Storage) -> None:
        storage.write(b"a/b", b"123", durable=False)
        assert [entry for listing in storage.list() for entry in listing] == [storage.stat(b"a/b")]

    @pytest.mark.parametrize("name", _ODD_NAMES)
    def test_odd_names_are_names(self, storage: Storage, name: bytes) -> None:
        if name in self.impossible:
            pytest.skip("the server does not support this name")
        storage.write(b"d/" + name, name, durable=True)
        assert storage.read(b"d/" + name, limit=100) == name
        assert [entry.path for listing in storage.list() for entry in listing] == [b"d/" + name]

    @pytest.mark.parametrize("path", _BAD_PATHS)
    def test_paths_that_lead_outside_are_refused(self, storage: Storage, path: bytes) -> None:
        for call in (
            lambda: storage.stat(path),
            lambda: storage.read(path, limit=1),
            lambda: storage.head(path, 1),
            lambda: storage.write(path, b"", durable=False),
            lambda: storage.delete(path),
            lambda: storage.local_path(path),
        ):
            with pytest.raises(AddressError):
                call()

    def test_a_local_path_leads_to_the_same_bytes(self, storage: Storage) -> None:
        storage.write(b"a/b", b"123", durable=False)
        path = storage.local_path(b"a/b")
        if path is not None:
            with open(path, "rb") as file:  # noqa: PTH123  # the path is bytes
                assert file.read() == b"123"

    def test_removing_temporaries_keeps_finished_files(self, storage: Storage) -> None:
        storage.write(b"a/b", b"123", durable=True)
        assert storage.remove_temporaries() == 0
        assert storage.read(b"a/b", limit=100) == b"123"


def is_wanted(name: bytes) -> bool:
    """Want names with x."""
    return name.startswith(b"x")
