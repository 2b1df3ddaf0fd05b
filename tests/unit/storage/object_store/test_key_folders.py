"""Folders from a listing of keys, whatever these are: few requests, and no key hides another."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.storage.object_store.key_folders import KeyFolder, KeyFolders
from pixmill.storage.object_store.key_listing import KeyPage, ListedKey, objection
from pixmill.storage.object_store.signature import AccessKey, signed_headers
from pixmill.storage.open import open_storage


def walk(address="s3://photos", **options):
    return [[entry.path.decode() for entry in listing] for listing in open_storage(address).list(**options)]


ODD = ["/lead.jpg", "../out.jpg", "./dot.jpg", "a//b.jpg", "x/../up.jpg", "tab\there.jpg", "del\x7f.jpg", "zz//", "trail.jpg/"]


def test_each_odd_key_is_refused_by_its_name_and_hides_nothing(store):
    good = ["a/1.jpg", "b.jpg", "trail.jpg/inside.jpg", "x/2.jpg", "zz/3.jpg", "ü/4 %.jpg"]
    store.objects = dict.fromkeys((*good, *ODD), b"1")
    store.objects["a/"] = b""  # stands for a folder
    refused = []
    listed = walk(on_error=lambda path, error: refused.append((path.decode(), error.code, error.message)))
    assert sorted(path for listing in listed for path in listing) == sorted(good)
    assert sorted(key for key, _, _ in refused) == sorted(ODD)
    assert {code for _, code, _ in refused} == {"read-key"}
    assert sorted(path for listing in walk() for path in listing) == sorted(good)  # nobody wants to know


def test_odd_keys_beside_many_are_refused_too(store):
    store.objects = {f"d/{number:04}/x.jpg": b"1" for number in range(1500)} | dict.fromkeys(ODD, b"1")
    refused = []
    assert len(walk(on_error=lambda path, _: refused.append(path.decode()))) == 1500
    assert sorted(refused) == sorted(ODD)


def test_many_folders_of_one_object_take_few_requests(store):
    store.objects = {f"{number:05}/x.jpg": b"1" for number in range(5000)}
    assert walk() == [[key] for key in sorted(store.objects)]
    assert store.requests["list"] <= 2 * 5 + 3  # a page of folders and a page of keys for each thousand


@pytest.mark.parametrize("number", [150, 300, 450, 700, 999])
def test_folders_of_less_than_a_page_share_pages(store, number):
    store.objects = {f"{folder:02}/{name:03}.jpg": b"1" for folder in range(30) for name in range(number)}
    assert [len(each) for each in walk()] == [number] * 30
    assert store.requests["list"] <= 30 * number / 1000 + 9


def test_a_flat_folder_takes_one_request_for_a_thousand(store):
    store.objects = {f"in/{number:05}.jpg": b"1" for number in range(4000)}
    assert sum(map(len, walk())) == 4000
    assert store.requests["list"] <= 4 + 2


def test_large_folders_are_not_read_for_others(store):
    store.objects = {f"{folder}/{number:04}.jpg": b"1" for folder in "abc" for number in range(3000)}
    assert [len(each) for each in walk()] == [3000] * 3
    assert store.requests["list"] <= 3 * 3 + 3 + 3


class Memory:
    """A listing of ``keys`` sorted by ``order``, in pages of ``size``; counts its requests."""

    def __init__(self, keys, *, size=4, order=lambda key: key):
        self.keys, self.size, self.order, self.requests = sorted(keys, key=order), size, order, 0
        self.broken = None

    def pages(self, prefix, *, start_after="", has_delimiter=False, size=None):
        found = [
            key for key in self.keys if key.startswith(prefix) and (not start_after or self.order(key) > self.order(start_after))
        ]
        items = {}
        for key in found:
            end = key.find("/", len(prefix)) if has_delimiter else -1
            folder = key[: end + 1]
            if end < 0:
                items[key] = ListedKey(key, 1, "e")
            elif not start_after.startswith(folder):
                items[folder] = folder
        rest = list(items.values())
        while True:
            self.requests += 1
            if self.broken and self.broken.random() < 0.3:
                raise ConnectionResetError("kind: Body,")
            page, rest = rest[: size or self.size], rest[size or self.size :]
            keys = [each for each in page if isinstance(each, ListedKey)]
            yield KeyPage(keys, [each for each in page if isinstance(each, str)], is_last=not rest)
            if not rest:
                return


def by_folders(key):
    """Return the order of a store that keeps folders: part by part."""
    return key.split("/")


def contents(listing):
    """List the folders of ``listing`` from the root; return its paths and its refused keys."""
    source = KeyFolders(listing)
    paths, refused, folders = [], [], [""]
    while folders:
        folder = KeyFolder(source, folders.pop())
        for _ in range(10_000):
            try:
                if folder.next_page():
                    break
            except ConnectionResetError:
                continue
        paths += folder.objects
        refused += folder.refused
        folders += sorted(folder.folders, reverse=True)
    return sorted(paths), sorted(refused)


part = st.text(alphabet="ab.#-0ä", min_size=1, max_size=2) | st.just("")


@given(
    keys=st.sets(st.lists(part, min_size=1, max_size=4).map("/".join).filter(bool), max_size=60),
    order=st.sampled_from([lambda key: key, by_folders]),
    seed=st.none() | st.integers(0, 9),
)
def test_nothing_is_lost_or_doubled_whatever_is_there_and_however_it_is_ordered(keys, order, seed):
    listing = Memory(keys, order=order)
    listing.broken = None if seed is None else random.Random(seed)
    paths, refused = contents(listing)
    assert paths == sorted(key for key in keys if not objection(key))
    assert refused == sorted(key for key in keys if objection(key))


def test_a_signature_is_that_of_the_example_in_the_documentation_of_s3():
    key = AccessKey("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    query = {"max-keys": "2", "prefix": "J"}
    headers = signed_headers(key, host="examplebucket.s3.amazonaws.com", path="/", query=query, now=1369353600)
    assert headers["authorization"].endswith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    assert "wJalr" not in repr(key)
