"""A name is given without replacing what has it."""

import os

import pytest

from pixmill.storage.local.rename import name_exclusively, rename_method_in


@pytest.fixture
def folder(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_free_name_is_given(tmp_path, folder):
    (tmp_path / "unfinished").write_bytes(b"1")
    assert name_exclusively(b"unfinished", b"a.jpg", folder=folder) == "rename"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_whatever_has_the_name_keeps_it(tmp_path, folder, kind):
    (tmp_path / "unfinished").write_bytes(b"1")
    name = tmp_path / "a.jpg"
    {"file": name.touch, "folder": name.mkdir, "link to nothing": lambda: name.symlink_to("nothing")}[kind]()
    before = os.lstat(name)
    with pytest.raises(FileExistsError):
        name_exclusively(b"unfinished", b"a.jpg", folder=folder)
    assert os.lstat(name) == before
    assert (tmp_path / "unfinished").exists()


def test_asking_for_the_means_leaves_nothing(tmp_path):
    assert rename_method_in(os.fsencode(tmp_path), tag="a1") == "rename"
    assert list(tmp_path.iterdir()) == []
