"""A folder of a bucket that is read page by page, from a store that breaks off."""

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.prefix_listing import PrefixListing
from pixmill.storage.open import open_storage
from support.web_server import Answer, serving

PAGE = 4
FLAT = [f"in/{number:03}" for number in range(10 * PAGE)]


class Library:
    """obstore, of which the pages do not come that ``breaks`` names; ``listings`` says where each listing by keys began."""

    def __init__(self, *, breaks=lambda _: False, by_name=True, turned=False):
        self.pages = self.faults = 0
        self.listings, self.asked_by_name = [], 0
        self._breaks, self._by_name, self._last_poll = breaks, by_name, turned

    def list(self, store, prefix, *, offset, chunk_size):
        self.listings.append(offset)
        found = [each for page in obstore.list(store, prefix, offset=offset, chunk_size=1) for each in page]
        return self._come(found[::-1] if self._last_poll else found, chunk_size)

    def _come(self, found, size):
        for page in (found[start : start + size] for start in range(0, len(found), size)):
            self.pages += 1
            if self._breaks(self.pages):
                self.faults += 1
                raise ConnectionResetError
            yield page

    def head(self, store, key):
        return obstore.head(store, key)

    def list_with_delimiter(self, store, prefix):
        self.asked_by_name += 1
        if not self._by_name:
            self._by_name = True
            self.faults += 1
            raise ConnectionResetError
        return obstore.list_with_delimiter(store, prefix)


def read(keys, key="in", library=None):
    """Read a folder of a store with these keys to its end, however often it breaks off."""
    library, store = library or Library(), MemoryStore()
    for each in keys:
        store.put(each, b"" if each.endswith("empty") else b"1")
    folder = PrefixListing(Bucket(library, store, "memory"), key, page_size=PAGE)
    for _ in range(1000):
        try:
            if folder.next_page():
                return folder, library, store
        except ConnectionResetError:
            continue
    pytest.fail("it never ends")


def test_an_interrupted_page_is_requested_again_and_none_before_it():
    folder, library, _ = read(FLAT, library=Library(breaks=lambda page: page % 3 == 0))
    assert sorted(folder.objects) == FLAT
    assert library.faults > 2
    assert library.pages == 10 + library.faults
    began = [int(offset.removeprefix("in/")) for offset in library.listings[1:]]
    assert began == sorted(set(began))


def test_a_small_folder_takes_one_request():
    folder, library, _ = read(["in/a", "in/b/c", "other"])
    assert (sorted(folder.objects), folder.folders) == (["in/a"], {"in/b"})
    assert (len(library.listings), library.asked_by_name) == (1, 0)


def test_many_folders_are_listed_with_a_delimiter():
    folder, library, _ = read([f"in/{number}/x" for number in range(50)])
    assert len(folder.folders) == 50
    assert (library.pages, library.asked_by_name) == (1, 1)


def test_large_folders_are_skipped_if_the_listing_with_a_delimiter_fails():
    keys = [f"in/{folder}/{number:03}" for folder in "abc" for number in range(100)] + FLAT
    folder, library, _ = read(keys, library=Library(by_name=False))
    assert (sorted(folder.objects), folder.folders) == (sorted(FLAT), {"in/a", "in/b", "in/c"})
    assert library.asked_by_name == 1
    assert library.pages < 20  # of 85


def test_a_store_with_an_order_of_its_own_is_read_from_its_beginning_again():
    folder, library, _ = read(FLAT, library=Library(breaks=lambda page: page == 7, turned=True))
    assert sorted(folder.objects) == FLAT
    assert library.listings[1:]
    assert set(library.listings) == {None}


def test_an_empty_object_is_distinguished_from_an_empty_folder():
    folder, library, _ = read(["in/a", "in/empty"])
    assert sorted(folder.objects) == ["in/a", "in/empty"]
    assert library.asked_by_name == 1


part = st.text(alphabet="ab.#\u00e4", min_size=1, max_size=2).filter(lambda part: part not in (".", "..")) | st.just("empty")


@given(
    keys=st.sets(st.lists(part, min_size=1, max_size=3).map("/".join), max_size=60),
    broken=st.integers(min_value=2, max_value=5),
    by_name=st.booleans(),
)
def test_nothing_is_lost_or_doubled_whatever_is_there_and_breaks(keys, broken, by_name):
    folder, _, store = read(keys, key="a", library=Library(breaks=lambda page: page % broken == 0, by_name=by_name))
    expected = obstore.list_with_delimiter(store, "a")
    assert sorted(folder.objects) == sorted(each["path"] for each in expected["objects"])
    assert sorted(folder.folders) == sorted(expected["common_prefixes"])


def level(*keys, folders=()):
    """Return what S3 answers to a listing."""
    objects = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><ETag>&quot;1&quot;</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
        for key in keys
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{folder}/</Prefix></CommonPrefixes>" for folder in folders)
    return Answer(f"<ListBucketResult>{objects}{prefixes}</ListBucketResult>".encode())


def test_a_key_that_is_no_path_costs_the_folder_that_holds_it_and_no_other(monkeypatch):
    good, bad = ["in/1.jpg", "in/b/2.jpg"], "in/a//3.jpg"
    answers = {
        "list-type=2&prefix=in%2F": level(good[0], bad, good[1]),
        "delimiter=%2F&list-type=2&prefix=in%2F": level(good[0], folders=["in/a", "in/b"]),
        "list-type=2&prefix=in%2Fa%2F": level(bad),
        "delimiter=%2F&list-type=2&prefix=in%2Fa%2F": level(folders=["in/a/"]),
        "list-type=2&prefix=in%2Fb%2F": level(good[1]),
    }
    failed = []
    with serving({f"/photos?{query}": answer for query, answer in answers.items()}) as server:
        for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "here", "ENDPOINT_URL": server.url}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_UNSIGNED_PAYLOAD", "true")  # for obstore alone, so that it lists, as it does other stores
        listings = list(open_storage("s3://photos").list(b"in", on_error=lambda path, error: failed.append((path, error))))
    assert [entry.path for listing in listings for entry in listing] == [key.encode() for key in good]
    ((path, error),) = failed
    assert path == b"in/a"
    assert "a key with an empty part" in error.message
