"""Writes go through open folders: no link leads them elsewhere, and a destination that is gone ends the run."""

import os
import shutil

import pytest

from pixmill.core.errors import RunError, WriteError
from pixmill.storage.entry import FileVersion
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.storage import Replacing, WrittenFile


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    return tmp_path / "elsewhere"


def storage_at(root, *, follow=False):
    return FileStorage(os.fsencode(root), follow_symlinks=follow)


@pytest.mark.parametrize("path", [b"link/a.jpg", b"link/deep/a.jpg", b"link/new/a.jpg"])
def test_a_link_below_the_root_is_not_written_through(root, elsewhere, path):
    (root / "link").symlink_to(elsewhere)
    with pytest.raises(WriteError) as raised:
        storage_at(root).write(path, b"1", durable=True)
    assert raised.value.code == "write-link"
    assert "--follow-output-links" in raised.value.hint
    assert not [path for path in elsewhere.rglob("*") if path.is_file()]


def test_a_link_is_written_through_on_request(root, elsewhere):
    (root / "link").symlink_to(elsewhere)
    storage_at(root, follow=True).write(b"link/new/a.jpg", b"1", durable=True)
    assert (elsewhere / "new" / "a.jpg").read_bytes() == b"1"


def test_behind_a_link_only_what_is_our_own_is_replaced(root, elsewhere):
    (root / "link").symlink_to(elsewhere)
    (elsewhere / "a.jpg").write_bytes(b"theirs")
    storage = storage_at(root, follow=True)
    own = (WrittenFile(FileVersion.of((elsewhere / "a.jpg").stat()), b""),)
    with pytest.raises(WriteError):
        storage.write(b"link/a.jpg", b"new", durable=True, replacing=Replacing(others=True))
    assert (elsewhere / "a.jpg").read_bytes() == b"theirs"
    storage.write(b"link/a.jpg", b"new", durable=True, replacing=Replacing(own=own))
    assert (elsewhere / "a.jpg").read_bytes() == b"new"


def test_the_root_may_be_a_link(root, tmp_path):
    (tmp_path / "name").symlink_to(root)
    storage_at(tmp_path / "name").write(b"a/b.jpg", b"1", durable=True)
    assert (root / "a" / "b.jpg").read_bytes() == b"1"


def test_a_folder_that_becomes_a_link_is_not_followed(root, elsewhere):
    storage = storage_at(root)
    storage.write(b"a/1.jpg", b"1", durable=True)
    shutil.rmtree(root / "a")
    (root / "a").symlink_to(elsewhere)
    with pytest.raises(WriteError):
        storage.write(b"a/2.jpg", b"2", durable=True)
    assert not (elsewhere / "2.jpg").exists()


def test_a_folder_that_was_removed_is_made_again(root):
    storage = storage_at(root)
    storage.write(b"a/1.jpg", b"1", durable=True)
    shutil.rmtree(root / "a")
    storage.write(b"a/2.jpg", b"2", durable=True)
    assert (root / "a" / "2.jpg").read_bytes() == b"2"


@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_root_that_was_removed_ends_the_run(root, is_made_again):
    storage = storage_at(root)
    storage.write(b"a/1.jpg", b"1", durable=True)
    shutil.rmtree(root)
    if is_made_again:
        root.mkdir()
    for path in (b"a/2.jpg", b"b.jpg", b"c/d.jpg"):
        with pytest.raises(RunError) as raised:
            storage.write(path, b"2", durable=True)
        assert raised.value.code == "output-lost"
    assert not is_made_again or not list(root.iterdir())


def test_a_file_where_a_folder_is_wanted_stays(root):
    (root / "a").write_bytes(b"theirs")
    with pytest.raises(WriteError) as raised:
        storage_at(root).write(b"a/1.jpg", b"1", durable=True)
    assert raised.value.code == "exists"
    assert (root / "a").read_bytes() == b"theirs"


def test_the_source_is_never_replaced_under_whatever_name(root, tmp_path):
    source = tmp_path / "source.jpg"
    source.write_bytes(b"source")
    os.link(source, root / "a.jpg")
    found = source.stat()

    def identity():
        return found.st_dev, found.st_ino

    own = (WrittenFile(FileVersion.of(found), b""),)
    for replacing in (Replacing(source=identity), Replacing(others=True, source=identity), Replacing(own=own, source=identity)):
        for data in (b"new", b"source"):
            with pytest.raises(WriteError) as raised:
                storage_at(root).write(b"a.jpg", data, durable=True, replacing=replacing)
            assert raised.value.code == "exists"
    assert source.read_bytes() == b"source"
    assert (root / "a.jpg").stat().st_ino == found.st_ino


def test_a_file_that_came_while_a_run_was_cut_short_is_taken_for_its_own(root):
    (root / "a.jpg").write_bytes(b"left")
    changed = (root / "a.jpg").stat().st_ctime_ns
    storage = storage_at(root)
    with pytest.raises(WriteError):
        storage.write(b"a.jpg", b"new", durable=True, replacing=Replacing(unrecorded=((0, changed - 1),)))
    storage.write(b"a.jpg", b"new", durable=True, replacing=Replacing(unrecorded=((changed - 1, changed + 1),)))
    assert (root / "a.jpg").read_bytes() == b"new"
