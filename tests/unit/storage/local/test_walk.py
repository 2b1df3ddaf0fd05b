"""A directory with very many entries is sorted on disk, and comes in parts; a small one comes whole."""

import os
from pathlib import Path

import pytest

from pixmill.storage.local import walk
from pixmill.storage.schemes.file import FileStorage

FEW, MANY = walk.LARGE - 1, walk.LARGE + 2500

EMPTY = 40  # folders, some of which the system lists after ``LARGE`` others
DESCRIPTORS = Path("/proc/self/fd")


def group(name):
    return name.lower().partition(b".")[0]


def filled(folder, number):
    """Make a folder with so many names: three of each stem, of which one differs in case and so lies far apart."""
    folder.mkdir(parents=True)
    original = folder / "original"
    original.write_bytes(b"1")
    for index in range(number):
        stem, ending = divmod(index, 3)
        os.link(original, folder / (f"a{stem:05}.png", f"A{stem:05}.JPG", f"a{stem:05}.gif")[ending])
    original.unlink()
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("walk")
    filled(root / "few", FEW)
    filled(root / "many", MANY)
    for name in ("few/sub", "many/sub/deep", "many/zzz"):
        (root / name).mkdir(parents=True)
        (root / name / "x.jpg").write_bytes(b"1")
    for number in range(EMPTY):
        (root / "many" / f"empty{number}").mkdir()
    return root


def parts(root, **options):
    return list(FileStorage(os.fsencode(root)).list_parts(group, **options))


def test_a_large_directory_comes_in_parts_and_a_small_one_whole(tree):
    sizes = {}
    for part in parts(tree):
        sizes.setdefault(part[0].path.rpartition(b"/")[0], []).append(len(part))
    assert sizes.pop(b"few") == [FEW]
    many = sizes.pop(b"many")
    assert sum(many) == MANY
    assert max(many) <= walk.PART + 2
    assert sizes == {b"few/sub": [1], b"many/sub/deep": [1], b"many/zzz": [1]}


def test_the_parts_are_sorted_and_split_no_group(tree):
    of_many = [part for part in parts(tree) if part[0].path.startswith(b"many/") and part[0].path.count(b"/") == 1]
    names = [entry.path.rpartition(b"/")[2] for part in of_many for entry in part]
    assert names == sorted(names, key=lambda name: (group(name), name))
    groups = [{group(entry.path.rpartition(b"/")[2]) for entry in part} for part in of_many]
    assert sum(map(len, groups)) == len(set().union(*groups))


def test_the_entries_are_those_of_a_listing_in_one_piece(tree):
    whole = sorted(entry.path for listing in FileStorage(os.fsencode(tree)).list() for entry in listing)
    entries = [entry for part in parts(tree) for entry in part]
    assert sorted(entry.path for entry in entries) == whole
    assert {entry.identity for entry in entries} == {
        entry.identity for listing in FileStorage(os.fsencode(tree)).list() for entry in listing
    }
    assert all(entry.changed_at for entry in entries)


def test_all_folders_beside_a_large_number_of_entries_are_known_before_the_first_part(tree):
    asked = []

    def enter(folder):
        asked.append(folder)
        return not folder.endswith(b"zzz")

    seen = {}
    for part in parts(tree, descend=enter):
        seen.setdefault(part[0].path.rpartition(b"/")[0], set(asked))
    assert seen[b"many"] >= {b"many/sub", b"many/zzz", *(b"many/empty%d" % number for number in range(EMPTY))}
    assert b"many/zzz" not in seen


def test_links_and_temporaries_in_a_large_directory_are_left_out(tmp_path):
    folder = filled(tmp_path / "in", MANY)
    (folder / "m.jpg").symlink_to(folder / "a00001.png")
    links = []
    assert sum(map(len, parts(tmp_path, on_link=links.append))) == MANY
    assert links == [b"in/m.jpg"]


def test_a_large_directory_leaves_no_file_behind_and_no_descriptor_open(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = len(list(DESCRIPTORS.iterdir()))
    begun = FileStorage(os.fsencode(tree)).list_parts(group)
    assert next(part for part in begun if part[0].path.startswith(b"many/"))
    begun.close()
    assert len(list(DESCRIPTORS.iterdir())) <= before
    assert list(tmp_path.iterdir()) == []
