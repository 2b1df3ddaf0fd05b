"""Several sources as one: which paths their entries get, in which order, and where each comes from."""

import os
import zipfile
from pathlib import Path

import pytest

from pixmill.batch.composition import Composition, name_below, open_sources
from pixmill.batch.config.models import Selection
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.source import Folder, MemberEntry, SourceRequest, path_in_source
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

pytestmark = pytest.mark.usefixtures("tree")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "A/1.jpg", "A/s/2.jpg", "B/1.jpg", "x/A/1.jpg", "x/A/0/3.jpg", "x/a.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())
    return tmp_path


def opened(*given, out="out", follow=False):
    own = OwnFolders([Path(out)])
    request = SourceRequest(
        address=Address.parse(given[0]), selection=Selection(follow_symlinks=follow), output=Address.parse(out), own=own
    )
    return open_sources(given, request)


def listed(source):
    refused, ignored = [], []
    listing = source.folders(lambda path, error: refused.append((path, error.code)), lambda *each: ignored.append(each))
    return list(listing), refused, ignored


def paths(source):
    return [[entry.path for entry in entries] for entries in listed(source)[0]]


def contents(source):
    entries = [entry for entries in listed(source)[0] for entry in entries if isinstance(entry, MemberEntry)]
    return {entry.path: (entry.index, path_in_source(entry), source.storage.read(entry.locator, limit=100)) for entry in entries}


def test_one_source_is_what_it_was():
    assert not isinstance(opened("A"), Composition)
    assert paths(opened("A"))[0] == [b"1.jpg", b"s"]


def test_entries_come_folder_by_folder_and_tell_where_they_are_from():
    source = opened("B", "a.jpg", "A", "x/A")
    assert paths(source)[0] == [b"a.jpg", b"A", b"B"]
    assert [listing[0].rpartition(b"/")[0] for listing in paths(source)] == [b"", b"A", b"A/0", b"A/s", b"B"]
    found = contents(source)
    other = next(path for path in found if b"~" in path)
    assert sorted(found) == [b"A/0/3.jpg", b"A/1.jpg", other, b"A/s/2.jpg", b"B/1.jpg", b"a.jpg"]
    assert found[b"a.jpg"] == (1, b"a.jpg", b"a.jpg")
    assert found[b"A/s/2.jpg"] == (2, b"s/2.jpg", b"A/s/2.jpg")
    assert found[b"A/0/3.jpg"] == (3, b"0/3.jpg", b"x/A/0/3.jpg")
    assert (found[b"A/1.jpg"], found[other]) == ((2, b"1.jpg", b"A/1.jpg"), (3, b"1.jpg", b"x/A/1.jpg"))


def test_the_order_of_the_sources_changes_no_path():
    one, other = opened("a.jpg", "x/a.jpg", "A", "x/A"), opened("x/A", "A", "x/a.jpg", "a.jpg")
    assert {path: found[1:] for path, found in contents(one).items()} == {
        path: found[1:] for path, found in contents(other).items()
    }
    assert len(contents(one)) == 6


def test_subfolders_of_all_sources_reserve_their_names(tree):
    (tree / "A" / "0").write_bytes(b"a file")
    listing = listed(opened("A", "x/A"))[0]
    assert [entry.path for entry in listing[0] if isinstance(entry, Folder)] == [b"A/0", b"A/s"]


def test_a_source_is_listed_when_its_turn_comes(tree):
    listing = opened("A", "B").folders(lambda *_: None)
    assert next(listing)[0].path == b"A/1.jpg"
    (tree / "B" / "late.jpg").write_bytes(b"1")
    assert [entry.path for entries in listing for entry in entries] == [b"A/s/2.jpg", b"B/1.jpg", b"B/late.jpg"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("A", b"A"), ("A/", b"A"), ("x/A//", b"A"), ("A/.", b""), (".", b""), ("..", b""), ("A/..", b""), ("/", b""), ("./A", b"A"),
     ("s3://bucket/x/A", b"A"), ("s3://bucket", b"bucket"), ("s3://bucket/x/", b"x")],
)  # fmt: skip
def test_a_folder_has_the_name_that_cp_would_give_it(text, name):
    assert name_below(Address.parse(text)) == name


def test_members_of_archives_are_read_by_their_locators(tree):
    for name in ("p.zip", "q.zip"):
        with zipfile.ZipFile(name, "w") as pack:
            pack.writestr("in/z.jpg", name)
    source = opened("p.zip", "q.zip", "a.jpg")
    assert contents(source) == {
        b"a.jpg": (2, b"a.jpg", b"a.jpg"), b"p/in/z.jpg": (0, b"in/z.jpg", b"p.zip"), b"q/in/z.jpg": (1, b"in/z.jpg", b"q.zip"),
    }  # fmt: skip
    assert source.address == Address("multi", b"local")
    locator = listed(source)[0][1][0].locator
    assert source.storage.file_of(locator) == os.fsencode(tree / "p.zip")
    assert open_storage(source.address).stat(locator).size == 5


def test_a_url_stands_beside_folders_and_needs_the_network():
    source = opened("https://example.org/b.jpg", "A", "a.jpg")
    found = listed(source)[0]
    assert [entry.path for entry in found[-1]] == [b"example.org/b.jpg"]
    assert (found[-1][0].is_explicit, found[0][0].is_explicit) == (True, False)
    assert source.address == Address("multi", b"")
    assert source.storage.read(found[0][0].locator, limit=100) == b"a.jpg"


def test_what_cannot_be_read_is_reported_below_its_source(tree):
    (tree / "A" / "gone.jpg").symlink_to("nowhere")
    _, refused, _ = listed(opened("A", "B", follow=True))
    assert [path for path, _ in refused] == [b"A/gone.jpg"]


def test_dst_is_left_out_and_links_are_counted(tree):
    (tree / "link.jpg").symlink_to("a.jpg")
    _, _, ignored = listed(opened("link.jpg", "A", "B", out="B"))
    assert sorted(ignored) == [(b"B", "output"), (b"link.jpg", "symlink")]
    assert [(given.index, given.roots) for given in opened("A", "a.jpg").given()] == [
        (0, (os.fsencode(tree / "A"),)), (1, (os.fsencode(tree),)),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl", "list.txt", "manifest.json"])
def test_a_list_stands_alone_and_an_inventory_too(tree, name):
    (tree / name).write_text("path\na.jpg\n")
    with pytest.raises(AddressError, match=rf"{name} is a list of images, which cannot be combined"):
        opened("A", name)


def test_what_two_sources_contain_counts_once(tree):
    (tree / "A" / "link.jpg").symlink_to("1.jpg")
    listing, _, ignored = listed(opened("x/..", "A", "./A/", "a.jpg", "./a.jpg"))
    found = [entry.path for entries in listing for entry in entries if isinstance(entry, MemberEntry)]
    assert found == [b"a.jpg", b"A/1.jpg", b"A/s/2.jpg", b"B/1.jpg", b"x/a.jpg", b"x/A/1.jpg", b"x/A/0/3.jpg"]
    assert ignored == [(b"A/link.jpg", "symlink"), (b"link.jpg", "symlink")]
