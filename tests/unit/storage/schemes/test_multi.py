"""Reading by locators: files, objects and URLs, and nothing by a path alone."""

import os

import pytest

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage
from support.web_server import Answer, serving


@pytest.fixture
def storage():
    return open_storage("multi://#private=1")


def test_files_are_read_by_their_absolute_path(storage, tmp_path):
    path = tmp_path / "a b?.jpg"
    path.write_bytes(b"data")
    locator = b"\0" + os.fsencode(path)
    assert storage.read(locator, limit=4) == b"data"
    assert storage.head(locator, 2) == b"da"
    assert storage.local_path(locator) == os.fsencode(path)
    assert storage.stat(locator) == Entry(locator, 4, b"%d" % path.stat().st_mtime_ns)
    assert storage.stat(locator + b"x") is None


def test_urls_are_read_unchanged_under_the_policy_of_the_address(storage):
    with serving({"/a%2Fb?c=%20": Answer(b"data")}) as server:
        locator = b"\0" + server.url.encode() + b"/a%2Fb?c=%20"
        assert storage.read(locator, limit=4) == b"data"
        assert storage.local_path(locator) is None
        with pytest.raises(ReadError, match="not on the public internet"):
            open_storage("multi://").read(locator, limit=4)


def test_links_are_followed_only_on_request(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    (tmp_path / "link").symlink_to("a")
    locator = b"\0" + os.fsencode(tmp_path / "link")
    assert open_storage("multi://", follow_symlinks=True).read(locator, limit=4) == b"data"
    with pytest.raises(ReadError):
        open_storage("multi://").read(locator, limit=4)


@pytest.mark.parametrize("path", [b"a.jpg", b"srv/a.jpg", b"https://example.org/a.jpg"])
def test_a_path_is_not_a_locator(storage, path):
    with pytest.raises(AddressError, match="expected a locator"):
        storage.read(path, limit=1)


def test_many_storages_may_be_needed_one_after_the_other(storage, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for number in range(50):
        assert storage.local_path(b"\0s3://bucket%d/a.jpg" % number) is None
    assert len(storage._storages) <= 32


def test_nothing_is_listed_written_or_removed(storage):
    with pytest.raises(AddressError, match="cannot be listed"):
        list(storage.list())
    for call in (lambda: storage.write(b"\0/a", b"", durable=False), lambda: storage.delete(b"\0/a")):
        with pytest.raises(RunError) as raised:
            call()
        assert raised.value.code == "read-only"
    assert storage.remove_temporaries() == 0


def test_an_address_that_says_more_is_refused():
    with pytest.raises(AddressError, match="expected multi://"):
        open_storage("multi://somewhere")
