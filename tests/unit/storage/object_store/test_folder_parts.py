"""A large folder of a bucket comes in parts while it is listed: whole groups, nothing lost, nothing twice, few requests more."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.reserved import collision_stem, image_stem
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ReadError, RunError
from pixmill.storage.object_store import folder_parts
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.folder_parts import PartsPolicy
from pixmill.storage.object_store.folder_requests import FolderRequests
from pixmill.storage.object_store.key_folders import KeyFolders
from pixmill.storage.object_store.key_listing import KeyPage, objection
from pixmill.storage.object_store.key_stream import KeyStream, StreamPolicy
from pixmill.storage.object_store.keys import path_of
from pixmill.storage.object_store.walk import BucketWalk
from unit.storage.object_store.test_key_folders import Memory, by_folders
from unit.storage.object_store.test_prefix_listing import Library


class Persistent:
    """A policy that repeats a request until it succeeds."""

    idles = reuses = False

    def call(self, request):
        while True:
            try:
                return request()
            except ReadError as error:
                if not error.retryable:
                    raise


class Parts:
    """The listing of a bucket in parts; ``folders`` and ``refused`` are what it has told of."""

    leaves_out = frozenset()

    def __init__(self, listing, group, *, folders_first=False, bucket=None, is_stream=False, key_range=("", "")):
        self.folders, self.refused = [], []
        parts = PartsPolicy(group, is_urgent=True, folders_first=folders_first)
        bucket, key_folders = bucket or Bucket(None, None, "s3://b", listing), KeyFolders(listing) if listing else None
        requests = FolderRequests(bucket, key_folders, Persistent(), parts)
        self.walk = BucketWalk(requests.list_folder, self._descend, self._refuse)

        def by_folders(descend, on_error, page):
            if page:
                key_folders.add("", page)
            return BucketWalk(requests.list_folder, descend, on_error).listings(b"")

        policy = StreamPolicy(parts, self._descend, self._refuse, idles=False, retried=requests.retried)
        self.stream = KeyStream(listing, policy, by_folders, key_range=key_range) if is_stream else None

    def _descend(self, folder):
        self.folders.append(folder)
        return folder not in self.leaves_out

    def _refuse(self, path, error):
        self.refused.append((path, error.code))

    def listings(self):
        for listing in self.stream.listings() if self.stream else self.walk.listings(b""):
            yield [entry.path for entry in listing], list(self.folders)


def folder_of(path):
    return path.rpartition(b"/")[0]


def named(paths, folders):
    """Return the names that a run would give to ``paths``, all of one folder, beside ``folders``."""
    namer = Namer(Template("{dir}/{stem}-a.{ext}"), [("", "jpg")])
    plain = Namer(Template(), [("", "jpg")])
    return {path: (names, namer.names(paths, folders)[path]) for path, names in plain.names(paths, folders).items()}


name = st.text(alphabet="aAbB\u017fß.~-%0é", min_size=1, max_size=4)
key = name | st.builds("{}.{}".format, name, st.sampled_from(["jpg", "png", "JPG"]))
keys_strategy = st.sets(
    key | st.builds("{}/{}".format, key, key) | st.builds("{}-a.jpg/{}".format, name, key), min_size=1, max_size=60
)


@pytest.fixture(scope="module", params=[1, 7, 10_000])
def window(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_parts, "WINDOW", request.param)
        yield


@pytest.mark.usefixtures("window")
@given(
    keys=keys_strategy,
    order=st.sampled_from([lambda key: key, by_folders]),
    size=st.integers(2, 9),
    seed=st.none() | st.integers(0, 9),
    group=st.sampled_from([image_stem, collision_stem]),
    is_stream=st.booleans(),
)
@example(keys={"A.png", "B", "C", "a.jpg"}, order=lambda key: key, size=2, seed=None, group=image_stem, is_stream=True)
@example(keys={"ss.png", "t.png", "u.png", "ß.jpg"}, order=lambda key: key, size=2, seed=None, group=image_stem, is_stream=False)
@example(
    keys={"a.png", "a/1.jpg", "a-a.jpg/1.jpg", "b"}, order=lambda key: key, size=2, seed=None, group=image_stem, is_stream=True
)
@example(keys={"a-0", "a-1", "a.jpg", "a.png"}, order=lambda key: key, size=3, seed=None, group=image_stem, is_stream=False)
def test_names_from_the_stream_are_those_of_the_whole_folder(keys, order, size, seed, group, is_stream):
    listing = Memory(keys, size=size, order=order)
    listing.broken = None if seed is None else random.Random(seed)
    parts = Parts(listing, group, is_stream=is_stream)
    good = {path_of(key) for key in keys if not objection(key)}
    folders = {folder_of(path) for path in good} - {b""}
    names, current = {}, []
    for paths, known in parts.listings():
        assert len({folder_of(path) for path in paths}) == 1
        if not current or current[-1] != folder_of(paths[0]):
            current.append(folder_of(paths[0]))
        beside = sorted(folder for folder in known if folder_of(folder) == current[-1] and folder)
        assert not names.keys() & set(paths)
        names.update(named(paths, beside))
    assert names.keys() == good
    assert len(parts.folders) == len(set(parts.folders))
    assert folders <= set(parts.folders)
    if not is_stream:
        assert len(current) == len(set(current))  # the parts of a folder follow each other
    for first, folder in enumerate(current):  # or have only its subfolders between them
        last = len(current) - 1 - current[::-1].index(folder)
        assert all(not folder or other == folder or other.startswith(folder + b"/") for other in current[first:last])
    assert sorted(path for path, _ in parts.refused) == sorted(key.encode() for key in keys if objection(key))
    for folder in {folder_of(path) for path in good}:
        beside = sorted(each for each in parts.folders if folder_of(each) == folder)
        whole = named([path for path in good if folder_of(path) == folder], beside)
        assert {path: names[path] for path in whole} == whole


def numbered(number, beginning="IMG_"):
    return [f"{beginning}{each:05}.JPG" for each in range(number)]


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_first_part_comes_after_the_first_page_and_few_requests_more_find_out_that_nothing_lies_ahead(is_stream):
    listing = Memory(numbered(30_000), size=1000)
    parts = Parts(listing, image_stem, is_stream=is_stream).listings()
    paths, _ = next(parts)
    assert len(paths) > 500
    assert listing.requests <= 6  # the next page is requested meanwhile
    assert len(paths) + sum(len(paths) for paths, _ in parts) == 30_000
    assert listing.requests <= 30 + 6


@pytest.mark.parametrize("order", [lambda key: key, by_folders])
def test_one_listing_is_enough_whatever_folders_the_keys_are_in(order):
    keys = [f"{n % 3}/{n % 7:02}/{n}.jpg" for n in range(3000)] + [f"{n % 3}/{n}.jpg" for n in range(2000)]
    listing = Memory(keys, size=100, order=order)
    parts = Parts(listing, image_stem, is_stream=True)
    assert sorted(path.decode() for paths, _ in parts.listings() for path in paths) == sorted(keys)
    assert listing.requests <= 50 + 6  # the first image is urgent


def test_a_folder_that_is_not_entered_is_skipped():
    keys = [f"{folder}/{n:04}.jpg" for folder in "abc" for n in range(2000)] + ["b2.jpg"]
    listing = Memory(keys, size=100)
    parts = Parts(listing, image_stem, is_stream=True)
    parts.leaves_out = {b"b"}
    assert sorted(path.decode() for paths, _ in parts.listings() for path in paths) == [
        key for key in sorted(keys) if key[:2] != "b/"
    ]
    assert listing.requests <= 40 + 6 + 3


def test_names_that_another_spelling_may_follow_wait_for_the_end():
    listing = Memory([*numbered(3000), "img_02000.png"], size=1000)
    first, *_ = [paths for paths, _ in Parts(listing, image_stem).listings()]
    assert listing.requests < 12
    assert len(first) == 1000  # all of them, sorted on disk


def test_all_subfolders_come_first_if_any_output_may_be_called_like_one():
    listing = Memory([*numbered(3000), "z.jpg/below.jpg"], size=1000)
    (paths, folders), *_ = Parts(listing, image_stem, folders_first=True).listings()
    assert (len(paths), folders) == (1000, [b"z.jpg"])
    (paths, folders), *_ = Parts(listing, image_stem).listings()
    assert folders == []


@given(
    keys=keys_strategy,
    size=st.integers(2, 9),
    asked=st.lists(key | st.builds("{}/{}".format, key, key), min_size=1, max_size=20),
    order=st.sampled_from([lambda key: key, by_folders]),
)
@example(
    keys={f"{n:02}{end}" for n in range(9) for end in ("/1.jpg", "/2.jpg", ".jpg")},
    size=3,
    asked=["02.jpg", "02/1.jpg"],
    order=by_folders,
)
@example(keys={".", "0", "-"}, size=2, asked=["0"], order=by_folders)
@example(keys={"a/0", "a/1", "a0", "a.jpg"}, size=2, asked=["a0"], order=lambda key: key)
def test_an_output_is_found_wherever_it_is_in_a_store_of_either_order(keys, size, asked, order):
    listing = Memory(keys, size=size, order=order)
    requests = FolderRequests(Bucket(None, None, "s3://b", listing), KeyFolders(listing), Persistent(), None)
    present = {path_of(key) for key in keys if not objection(key)}
    parts = []
    for path in [path_of(name) for name in asked if not objection(name)] + sorted(present):
        part = next((part for part in parts if part.covers(path)), None)
        if part is None:
            part = requests.list_from(path)
            assert part.covers(path)
            parts.append(part)
        assert (path in present) == (path in {entry.path for entry in part.entries})


class Turning(Memory):
    """A store that lists names from the middle on, then those before; it may deny that anything lies ahead of another name."""

    denies = False

    def __init__(self):
        super().__init__(numbered(4000), size=1000, order=lambda key: (key < "IMG_01500", key))

    def pages(self, prefix, *, size=None, **options):
        if size == 1 and self.denies:
            yield KeyPage([], [], is_last=True)
        else:
            yield from super().pages(prefix, size=size, **options)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_store_with_an_order_of_its_own_is_sorted_on_disk(is_stream):
    parts = Parts(Turning(), image_stem, is_stream=is_stream)
    assert [path.decode() for paths, _ in parts.listings() for path in paths] == numbered(4000)
    assert parts.refused == []


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_store_that_changes_its_order_when_some_images_have_names_is_not_listed_to_its_end(is_stream):
    store = Turning()
    store.denies = True
    parts = Parts(store, image_stem, is_stream=is_stream)
    assert 0 < sum(len(paths) for paths, _ in parts.listings()) < 4000
    assert parts.refused == [(b"", "read")]


@pytest.mark.parametrize("breaks", [lambda _: False, lambda page: page % 2])
def test_what_obstore_lists_comes_in_parts_too(breaks):
    store = MemoryStore()
    keys = [*numbered(2500), "A.png", "a.jpg", "a-x.jpg/1.jpg", "z/1.jpg", "z/2.jpg"]
    for each in keys:
        store.put(each, b"" if each == "IMG_00007.JPG" else b"1")
    library = Breaking(breaks=breaks)
    parts = Parts(None, image_stem, bucket=Bucket(library, store, "memory"))
    listings = list(parts.listings())
    assert sorted(path.decode() for paths, _ in listings for path in paths) == sorted(keys)
    assert len(listings) > 3
    assert {b"A.png", b"a.jpg"} <= set(next(paths for paths, _ in listings if b"a.jpg" in paths))
    assert parts.folders == [b"a-x.jpg", b"z"]
    assert library.asked_by_name == 0


class Breaking(Library):
    """obstore, whose pages break off as of a store that is sick."""

    def _come(self, found, size):
        try:
            yield from super()._come(found, size)
        except ConnectionResetError:
            raise ConnectionResetError("kind: Body,") from None


RANGED = [f"{folder}/{number}.jpg" for folder in ("a", "a-b", "b", "b.c") for number in range(20)] + ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("boundary", ["a/1", "a-b/5", "a", "b/", "b/3", "c", "a/"])
def test_two_ranges_have_every_key_once_and_in_a_store_of_another_order_one_refuses(boundary):
    found, refusals = [], []
    for key_range in (("", boundary), (boundary, "")):
        listing = Memory(RANGED, size=7)
        parts = [
            path.decode()
            for paths, _ in Parts(listing, image_stem, is_stream=True, key_range=key_range).listings()
            for path in paths
        ]
        assert all((path < boundary) == (key_range[1] == boundary) for path in parts)
        found += parts
        other = Parts(Memory(RANGED, size=7, order=by_folders), image_stem, is_stream=True, key_range=key_range)
        try:
            list(other.listings())
        except RunError as error:
            refusals.append(error.message)
    assert refusals
    assert all("order of their bytes" in message for message in refusals)
    assert sorted(found) == sorted(RANGED)
