"""Keys of samples: no two sources share one, and WebDataset's reader finds them as they were meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.datasets.keys import SampleNamer
from pixmill.batch.datasets.sample import split_name
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ConfigError

JPEG = [("", lambda _: "jpg")]


def namer(text="{dir}/{stem}.{ext}", renditions=JPEG, **options):
    return SampleNamer(Template(text), renditions, **options)


@pytest.mark.parametrize(("source", "name"), [
    (b"a.png", b"a.jpg"),
    (b"x/y/a.png", b"x/y/a.jpg"),
    (b"IMG_1.2.raw.png", b"IMG_1_2_raw.jpg"),
    (b"v1.0/a.png", b"v1.0/a.jpg"),
    (b".hidden.png", b"_hidden.jpg"),
    (b"__cache__/a.png", b"=__cache__/a.jpg"),
    (b"caf\xe9.png", b"caf\xe9.jpg"),
])  # fmt: skip
def test_a_key_ends_at_the_first_dot(source, name):
    assert namer().names([source]) == {source: (name,)}


def test_two_sources_never_share_a_key_even_where_their_formats_differ():
    keep = [("", lambda path: path.rpartition(b".")[2].decode())]
    names = namer(renditions=keep).names([b"a.jpg", b"a.png", b"a.b.png", b"a_b.png"])
    assert names == {b"a.jpg": (b"a.jpg",), b"a.png": (b"a_png.png",), b"a.b.png": (b"a_b.png",), b"a_b.png": (b"a_b_png.png",)}
    with pytest.raises(ConfigError, match="both map to the output name"):
        namer(renditions=keep, refuse=True).names([b"a.jpg", b"a.png"])


def test_renditions_are_told_apart_behind_the_dot():
    both = [("320", lambda _: "jpg"), ("320", lambda _: "webp"), ("640", lambda _: "jpg"), ("640", lambda _: "webp")]
    names = namer(renditions=both).names([b"d/a.png"])[b"d/a.png"]
    assert names == (b"d/a.320.jpg", b"d/a.320.webp", b"d/a.640.jpg", b"d/a.640.webp")
    formats = [("", lambda _: "jpg"), ("", lambda _: "webp")]
    assert namer(renditions=formats).names([b"a.png"])[b"a.png"] == (b"a.jpg", b"a.webp")


def test_a_name_that_was_changed_for_another_is_known_for_one():
    made = namer()
    names = made.names([b"a.jpg", b"a.png"])
    assert [made.is_renamed(source, names[source]) for source in names] == [False, True]


@pytest.mark.parametrize("text", ["{ext}/{stem}.{ext}", "{rendition}/{stem}.{ext}"])
def test_a_template_cannot_say_how_members_end(text):
    with pytest.raises(ConfigError, match="names samples"):
        namer(text)


@pytest.mark.parametrize("text", ["{hash}", "{hash}.{ext}", "{dir}/{stem}-{rendition}.{ext}", "{dir}/{name}"])
def test_other_templates_name_samples(text):
    names = namer(text, [("320", lambda _: "jpg"), ("640", lambda _: "jpg")]).names([b"x/a.png"])[b"x/a.png"]
    assert len({split_name(name)[0] for name in names}) == 1


PATHS = st.lists(st.text("ab._", min_size=1, max_size=6).map(lambda stem: f"{stem}.png".encode()), unique=True, max_size=8)


@given(PATHS, st.booleans())
def test_names_lead_back_to_one_key_for_each_source(paths, is_several):
    renditions = [("1", lambda _: "jpg"), ("2", lambda _: "jpg")] if is_several else JPEG
    names = namer(renditions=renditions).names(paths)
    keys = [{split_name(name)[0] for name in each} for each in names.values()]
    assert all(len(each) == 1 for each in keys)
    assert len(set.union(set(), *keys)) == len(paths)
