import os

import pytest

from support.snapshots import lost, snapshot


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    (tmp_path / "link").symlink_to("sub")
    (tmp_path / ".pixmill").mkdir()
    (tmp_path / ".pixmill" / "lock").write_text("state")
    return tmp_path


def test_a_tree_that_nobody_touched_has_lost_nothing(tree):
    before = snapshot(tree)
    assert sorted(before) == [b"b", b"link", b"sub/a"]
    (tree / "new").write_text("added")
    (tree / ".pixmill" / "lock").write_text("other state")
    assert lost(before, snapshot(tree)) == {}


def rewrite_with_the_same_size_and_time(path):
    stat = path.stat()
    path.write_text("ten")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace_with_the_same_bytes(path):
    stat = path.stat()
    (path.parent / "copy").write_bytes(path.read_bytes())
    os.utime(path.parent / "copy", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (path.parent / "copy").replace(path)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda path: path.unlink(), "removed"),
        (rewrite_with_the_same_size_and_time, "changed: content"),
        (replace_with_the_same_bytes, "changed: inode"),
        (lambda path: os.utime(path, ns=(1, 1)), "changed: mtime_ns"),
    ],
)
def test_every_way_to_harm_a_file_is_seen(tree, harm, told):
    before = snapshot(tree)
    harm(tree / "sub" / "a")
    assert lost(before, snapshot(tree)) == {b"sub/a": told}


def test_a_link_that_leads_elsewhere_now_is_seen(tree):
    before = snapshot(tree, inodes=False)
    (tree / "link").unlink()
    (tree / "link").symlink_to("b")
    assert "content" in lost(before, snapshot(tree, inodes=False))[b"link"]


def test_names_that_are_no_text_are_kept_apart(tmp_path):
    for name in (b"\xe9", b"\xe8"):
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    assert sorted(snapshot(tmp_path)) == [b"\xe8", b"\xe9"]
