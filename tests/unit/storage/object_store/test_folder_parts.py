"""A large folder of a bucket comes in parts while it is listed: whole groups, nothing lost, nothing twice, few requests more."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.reserved import collision_stem, image_stem
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ReadError
from pixmill.storage.object_store import folder_parts
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.folder_parts import PartsPolicy
from pixmill.storage.object_store.folder_requests import FolderRequests
from pixmill.storage.object_store.key_folders import KeyFolders
from pixmill.storage.object_store.key_listing import objection
from pixmill.storage.object_store.keys import path_of
from pixmill.storage.object_store.walk import BucketWalk
from unit.storage.object_store.test_key_folders import Memory, by_folders


class Persistent:
    """A policy that repeats a request until it succeeds."""

    reuses = False

    def __init__(self, *, idles=True):
        self.idles = idles

    def call(self, request):
        while True:
            try:
                return request()
            except ReadError as error:
                if not error.retryable:
                    raise


class Parts:
    """The listing of a bucket in parts; ``folders`` and ``refused`` are what it has told, ``listings`` what it has yielded."""

    def __init__(self, listing, group, *, folders_first=False, idles=True):
        self.asked, self.folders, self.refused, self.seen = [], [], [], []
        parts = PartsPolicy(group, is_urgent=idles, folders_first=folders_first)
        requests = FolderRequests(Bucket(None, None, "s3://b", listing), KeyFolders(listing), Persistent(), parts)
        self.walk = BucketWalk(requests.list_folder, self._descend, self._refuse)

    def _descend(self, folder):
        self.folders.append(folder)
        return True

    def _refuse(self, path, error):
        self.refused.append((path, error.code))

    def listings(self):
        for listing in self.walk.listings(b""):
            self.seen.append([entry.path for entry in listing])
            yield self.seen[-1], list(self.folders)


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
)
@example(keys={"A.png", "B", "C", "a.jpg"}, order=lambda key: key, size=2, seed=None, group=image_stem)
@example(keys={"ss.png", "t.png", "u.png", "ß.jpg"}, order=lambda key: key, size=2, seed=None, group=image_stem)
@example(keys={"a.png", "a/1.jpg", "a-a.jpg/1.jpg", "b"}, order=lambda key: key, size=2, seed=None, group=image_stem)
def test_names_from_the_stream_are_those_of_the_whole_folder(keys, order, size, seed, group):
    listing = Memory(keys, size=size, order=order)
    listing.broken = None if seed is None else random.Random(seed)
    parts = Parts(listing, group)
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
    assert len(current) == len(set(current))  # the parts of a folder follow each other
    assert sorted(path for path, _ in parts.refused) == sorted(key.encode() for key in keys if objection(key))
    for folder in {folder_of(path) for path in good}:
        beside = sorted(each for each in parts.folders if folder_of(each) == folder)
        whole = named([path for path in good if folder_of(path) == folder], beside)
        assert {path: names[path] for path in whole} == whole
