"""A folder as a source: what is left out of it, also where that comes to be while it is listed."""

import os
import shutil
from pathlib import Path

import pytest

from pixmill.batch.config.models import Selection
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.source import Folder, SourceRequest
from pixmill.batch.sources.directory import Directory
from pixmill.batch.state.identity import ensure_identity
from pixmill.storage.address import Address


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "b/1.jpg", "b/c/2.jpg", "d/3.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"1")
    return tmp_path / "in"


class Listed:
    """A source below ``folder`` with the output ``out``, and what a listing of it says."""

    def __init__(self, folder, out, *, follow=False):
        own = OwnFolders([out], [folder / "state"])
        own.refresh()
        self.source = Directory.open(
            SourceRequest(
                address=Address.parse(folder), selection=Selection(follow_symlinks=follow), output=Address.parse(out), own=own
            )
        )
        self.refused, self.ignored = [], []
        self.listing = self.source.folders(
            lambda path, error: self.refused.append((path, error.code)), lambda path, reason: self.ignored.append((path, reason))
        )

    def paths(self):
        return [entry.path for entries in self.listing for entry in entries if not isinstance(entry, Folder)]


def as_second_mount(out, place):
    """Make ``place`` look as a second mount of ``out`` does that has inodes of its own."""
    shutil.copytree(out, place, dirs_exist_ok=True)


def test_folders_come_behind_the_entries_beside_them(folder, tmp_path):
    listed = Listed(folder, tmp_path / "out")
    assert [[(type(entry) is Folder, entry.path) for entry in entries] for entries in listed.listing] == [
        [(False, b"a.jpg"), (True, b"b"), (True, b"d")],
        [(False, b"b/1.jpg"), (True, b"b/c")],
        [(False, b"b/c/2.jpg")],
        [(False, b"d/3.jpg")],
    ]


def test_an_output_that_is_made_while_the_source_is_listed_is_left_out(folder):
    out = folder / "d" / "out"
    listed = Listed(folder, out)
    next(listed.listing)
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "made.jpg").write_bytes(b"1")
    assert listed.paths() == [b"b/1.jpg", b"b/c/2.jpg", b"d/3.jpg"]
    assert listed.ignored == [(b"d/out", "output")]


def test_a_second_mount_of_the_output_is_left_out_though_its_mark_came_after_it_was_to_be_entered(folder, tmp_path):
    out = tmp_path / "out"
    listed = Listed(folder, out)
    next(listed.listing)  # by now "d" is to be entered
    (out / ".pixmill").mkdir(parents=True)
    ensure_identity(out / ".pixmill")
    (out / "e").mkdir()
    for name in ("made.jpg", "e/made.jpg"):
        (out / name).write_bytes(b"1")
    as_second_mount(out, folder / "d")
    assert listed.paths() == [b"b/1.jpg", b"b/c/2.jpg"]
    assert listed.ignored == [(b"d", "output")]


def test_the_state_folder_is_left_out_without_a_word(folder, tmp_path):
    (folder / "state").mkdir()
    (folder / "state" / "x.jpg").write_bytes(b"1")
    listed = Listed(folder, tmp_path / "out")
    assert b"state/x.jpg" not in listed.paths()
    assert listed.ignored == []


@pytest.mark.parametrize("exists", [True, False])
def test_links_to_where_the_output_is_or_will_be_are_ignored(folder, tmp_path, exists):
    out = tmp_path / "out"
    if exists:
        (out / "sub").mkdir(parents=True)
        (out / "x.jpg").write_bytes(b"1")
    (folder / "whole").symlink_to("../out")
    (folder / "part").symlink_to("../out/sub")
    (folder / "x.jpg").symlink_to(out / "x.jpg")
    (folder / "nothing.jpg").symlink_to("nowhere")
    listed = Listed(folder, out, follow=True)
    assert listed.paths() == [b"a.jpg", b"b/1.jpg", b"b/c/2.jpg", b"d/3.jpg"]
    assert sorted(listed.ignored) == [(b"part", "output"), (b"whole", "output"), (b"x.jpg", "output")]
    assert listed.refused == [(b"nothing.jpg", "read-vanished")]


def test_one_folder_is_listed_as_the_whole_is(folder, tmp_path):
    (folder / "b" / "link.jpg").symlink_to(tmp_path / "out" / "x.jpg")
    source = Listed(folder, tmp_path / "out", follow=True).source
    assert [entry.path for entry in source.siblings(b"b")] == [b"b/1.jpg", b"b/c"]
    assert [entry.path for entry in source.siblings(b"")] == [b"a.jpg", b"b", b"d"]
    assert source.siblings(b"gone") == []


def test_of_one_folder_only_what_has_one_of_some_stems_is_listed(folder, tmp_path):
    for name in ("b/A.PNG", "b/a.png.gif", "b/a~2.png", "b/ab.png", "b/a.jpg/x.jpg", "b/\u212a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"1")
    source = Listed(folder, tmp_path / "out").source
    assert [entry.path for entry in source.siblings(b"b", {b"a"})] == [b"b/A.PNG", b"b/a.png.gif", b"b/a.jpg"]
    assert [os.fsdecode(entry.path) for entry in source.siblings(b"b", {b"k", b"1"})] == ["b/1.jpg", "b/\u212a.png"]
    many = {b"%d" % number for number in range(100)}
    assert [entry.path for entry in source.siblings(b"b", many)] == [b"b/1.jpg"]
    assert source.siblings(b"b", set()) == []


def test_folders_that_are_given_later_are_left_out_as_well(folder, tmp_path):
    source = Listed(folder, tmp_path / "out").source.excluding([folder / "b"])
    assert not source.is_entered(b"b")
    assert source.is_entered(b"d")
    assert source.is_entered(b"b/c")


def test_what_exists_is_looked_for_once(tmp_path):
    out = tmp_path / "out"
    own = OwnFolders([out])
    assert own.find_output(os.fsencode(out / "a")) is None or not Path(out).exists()
    (out / "a").mkdir(parents=True)
    own.refresh()
    found = own.find_output(os.fsencode(out / "a"))
    assert found
    assert (found.output, found.is_part, found.is_by_identity) == (os.fsencode(out), False, False)
