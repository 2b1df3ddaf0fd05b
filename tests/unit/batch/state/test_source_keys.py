"""The keys of images tell sources apart, and lead back to the path of an image in its source."""

import pytest

from pixmill.batch.state.source_keys import SourceKeys, default_prefix


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        (b"/cards/2", b"/cards/2/"),
        (b"/", b"/"),
        (b"s3://bucket/photos", b"s3://bucket/photos/"),
        (b"tar:///a.tar", b"tar:///a.tar/"),
        (b"https://", b"https://"),
        (b"holiday", b"//holiday/"),
    ],
)
def test_a_prefix_is_like_that_of_no_path(place, prefix):
    assert default_prefix(place) == prefix


def test_the_first_source_has_none_and_a_later_one_its_place():
    keys = SourceKeys(prefixes={}).adding([b"/a"], has_unique_paths=True)
    keys = keys.adding([b"/a/b", b"/a"], has_unique_paths=True)
    assert keys.prefixes == {b"/a": b"", b"/a/b": b"/a/b/"}
    assert [keys.path(key) for key in (b"b/x.jpg", b"/a/b/x.jpg", b"/a/bc/x.jpg")] == [b"b/x.jpg", b"x.jpg", b"/a/bc/x.jpg"]


def test_all_places_of_a_list_that_is_the_first_source_have_none():
    assert SourceKeys(prefixes={}).adding([b"/a", b"/"], has_unique_paths=True).prefixes == {b"/a": b"", b"/": b""}
    assert SourceKeys(prefixes={}).adding([b"/a", b"/b"], has_unique_paths=False).prefixes == {b"/a": b"/a/", b"/b": b"/b/"}
