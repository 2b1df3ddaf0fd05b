"""Every storage does what the contract says, also behind a decorator."""

import itertools
import os

import pytest

from pixmill.core.errors import ReadError
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.retry.storage import RetryingStorage
from pixmill.testing.storages import StorageSuite


class TestFileStorage(StorageSuite):
    @pytest.fixture
    def storage(self, tmp_path):
        return open_storage(tmp_path / "not there yet")


class TestFileStorageWithANameThatIsNotText(StorageSuite):
    @pytest.fixture
    def storage(self, tmp_path):
        return open_storage(os.fsencode(tmp_path) + b"/\xff:\n", follow_symlinks=True)


class TestMemoryStorage(StorageSuite):
    @pytest.fixture
    def storage(self):
        return open_storage("memory://")


class TestRetrying(StorageSuite):
    @pytest.fixture
    def storage(self):
        return RetryingStorage(open_storage("memory://"), RetryPolicy())


class ObjectsSuite(StorageSuite):
    """What all object stores have in common: each test has a prefix of its own in the one bucket of a server."""

    __test__ = False
    keeps_times = False
    numbers = itertools.count()

    @pytest.fixture
    def storage(self, address):
        return open_storage(f"{address}/{next(self.numbers)}")

    def test_one_of_two_who_replace_at_once_succeeds(self, storage):
        first = storage.compare_and_swap(b"lease", b"mine", expected=None)
        assert first
        assert storage.compare_and_swap(b"lease", b"yours", expected=None) is None
        second = storage.compare_and_swap(b"lease", b"still mine", expected=first)
        assert second
        assert storage.compare_and_swap(b"lease", b"yours", expected=first) is None
        assert storage.read(b"lease", limit=100) == b"still mine"

    def test_the_store_honours_conditions(self, storage):
        assert storage.honours_conditions(b".pixmill/probe", RetryPolicy())
        assert storage.stat(b".pixmill/probe") is None

    def test_a_large_object_goes_in_parts(self, storage):
        data = os.urandom(1 << 20) * 20
        storage.write(b"large", data, durable=True)
        assert storage.read(b"large", limit=len(data)) == data

    def test_a_missing_object_has_no_version_to_read(self, storage):
        with pytest.raises(ReadError) as raised:
            storage.read_version(Entry(b"gone", 1, b'"0123"'), limit=10)
        assert raised.value.code in ("read-vanished", "changed")


class TestS3(ObjectsSuite):
    __test__ = True
    # SeaweedFS, unlike S3 itself, takes a backslash for a slash
    impossible = frozenset({b"a\\b"})

    @pytest.fixture
    def address(self, s3):
        return f"s3://{s3}/suite"


class TestGs(ObjectsSuite):
    __test__ = True
    # SeaweedFS again, which stands in for Google
    impossible = frozenset({b"a\\b"})

    @pytest.fixture
    def address(self, gs):
        return f"gs://{gs}/suite"


class TestAz(ObjectsSuite):
    __test__ = True
    # so does Azure
    impossible = frozenset({b"a\\b"})

    @pytest.fixture
    def address(self, az):
        return f"az://{az}/suite"
