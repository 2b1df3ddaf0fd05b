"""Whether an image is there: only what was listed whole can say that it is gone."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.pruning.presence import EMPTY, UNREADABLE, ListedFolders, ListedPaths, Presence
from pixmill.core.errors import ReadError
from pixmill.storage.open import open_storage
from pixmill.storage.schemes.memory import MemoryStorage

THERE, GONE, UNKNOWN = Presence


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg", ".hidden/d.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    return tmp_path


@pytest.fixture
def listed(folder):
    return ListedFolders(open_storage(str(folder)))


@pytest.mark.parametrize(
    ("path", "presence"),
    [
        (b"a.jpg", THERE), (b"b.jpg", GONE), (b"sub/b.jpg", THERE), (b"sub/a.jpg", GONE), (b"sub/deep/c.jpg", THERE),
        (b"other/x/y.jpg", GONE), (b"empty/x.jpg", UNKNOWN), (b"empty/x/y.jpg", UNKNOWN), (b".hidden/d.jpg", THERE),
        (b"dangling", THERE), (b"dangling/x.jpg", UNKNOWN), (b"a.jpg/x.jpg", UNKNOWN),
    ],
)  # fmt: skip
def test_an_image_is_gone_only_from_a_folder_that_was_listed(listed, path, presence):
    assert listed.look(path) is presence


def test_why_nothing_is_known_is_noted(listed):
    for path in (b"empty/x.jpg", b"dangling/x.jpg"):
        listed.look(path)
    assert listed.unlisted == {b"empty": EMPTY, b"dangling": UNREADABLE}


@pytest.mark.parametrize("missing", [True, False])
def test_an_empty_or_missing_root_says_nothing(tmp_path, missing):
    root = tmp_path / "root"
    if not missing:
        root.mkdir()
    listed = ListedFolders(open_storage(str(root)))
    assert listed.look(b"a.jpg") is listed.look(b"x/a.jpg") is UNKNOWN


def test_each_folder_is_listed_once_for_paths_in_order(folder, monkeypatch):
    listings = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listings.append(os.fsdecode(path)) or scandir(path))
    listed = ListedFolders(open_storage(str(folder)))
    for path in sorted([b"a.jpg", b"sub/a.jpg", b"sub/b.jpg", b"sub/deep/c.jpg", b"sub/deep/d.jpg", b"sub/e.jpg", b"sub.jpg"]):
        listed.look(path)
    assert len(listings) == len(set(listings)) == 3


names = st.sampled_from([b"a", b"b", b"a-b", b"a.b"])
paths = st.builds(b"/".join, st.lists(names, min_size=1, max_size=4))


@given(st.sets(paths), st.sets(paths))
def test_what_a_store_holds_is_there_and_all_else_gone_unless_it_is_empty(held, others):
    storage = MemoryStorage()
    for path in held:
        storage.write(path + b".jpg", b"x", durable=False)
    listed = ListedFolders(storage)
    for path in sorted(path + b".jpg" for path in held | others):
        expected = UNKNOWN if not held else THERE if path.removesuffix(b".jpg") in held else GONE
        assert listed.look(path) is expected


def test_paths_that_are_read_at_once():
    listed = ListedPaths(lambda _: [b"c", b"a"], b"list")
    assert [listed.look(path) for path in (b"a", b"b", b"c", b"d")] == [THERE, GONE, THERE, GONE]
    assert listed.found == 2


def test_paths_that_cannot_all_be_read_say_nothing():
    def damaged(unlisted):
        yield b"a"
        unlisted[b""] = UNREADABLE

    def failing(_):
        yield b"a"
        raise ReadError("out of reach")

    assert {ListedPaths(read, b"").look(b"b") for read in (damaged, failing, lambda _: [])} == {UNKNOWN}
