"""Every storage does what the contract says, also behind a decorator."""

import os

import pytest

from pixmill.storage.open import open_storage
from pixmill.storage.retrying import Retrying
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
        return Retrying(open_storage("memory://"), attempts=3, pause=lambda attempt: attempt, sleep=lambda seconds: None)  # noqa: ARG005  # it does not sleep
