"""A folder that is too large to be sorted in memory: its images get the names that they would get in a small one."""

import os

import pytest
from PIL import Image

from pixmill.batch.config.options import resolve
from pixmill.batch.planning.dry_run import dry_run
from pixmill.batch.planning.plan import plan
from pixmill.batch.source import Folder
from pixmill.storage.local.walk import LARGE, PART

PLAIN = LARGE + 100
#: names far from each other in the order of bytes, whose outputs could be one file; a folder is called z.jpg
ODD = ["A.PNG", "a.jpg", "a.png", "a~1.gif", "z.png", "\u00c9.png", "e\u0301.png", "\u00e9.webp"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("large")
    Image.new("RGB", (8, 8)).save(root / "one.jpg")
    (root / "in" / "z.jpg").mkdir(parents=True)
    for name in (*(f"M{number:06}.jpg" for number in range(PLAIN)), *ODD, "z.jpg/below.png", "notes.txt", ".hidden.jpg"):
        os.link(root / "one.jpg", root / "in" / name)
    return root / "in"


def planned(folder, tmp_path, **options):
    return plan(resolve(str(folder), str(tmp_path / "out"), options))


def test_every_image_is_found_once_and_named_as_if_the_folder_were_named_whole(folder, tmp_path):
    in_parts, whole = planned(folder, tmp_path), planned(folder, tmp_path / "other")
    items = list(in_parts.items())
    names = {item.entry.path: item.names for item in items}
    assert len(items) == len(names) == PLAIN + len(ODD) + 1
    (entries, below) = whole.locations.source.storage.list()
    expected = [*whole.items_of([*entries, Folder(b"z.jpg", 0, b"")]), *whole.items_of(below)]
    assert names == {item.entry.path: item.names for item in expected}
    assert names[b"z.png"] == (b"z.png.jpg",)
    assert len({os.fsdecode(name).casefold() for (name,) in names.values()}) == len(names)


def test_it_comes_in_parts_each_with_the_folders_beside_it(folder, tmp_path):
    parts = list(planned(folder, tmp_path).locations.source.folders(lambda *_: None))
    *large, below = parts
    assert len(large) == (PLAIN + len(ODD) + 2) // PART + 1
    assert {tuple(entry.path for entry in part if isinstance(entry, Folder)) for part in large} == {(b"z.jpg",)}
    assert [entry.path for entry in below] == [b"z.jpg/below.png"]


def test_what_is_ignored_is_counted_once(folder, tmp_path):
    counted = dry_run(planned(folder, tmp_path))
    assert (counted.found, counted.ignored) == (PLAIN + len(ODD) + 1, {"hidden": 1, "not-an-image": 1})
    assert counted.renamed >= 3
