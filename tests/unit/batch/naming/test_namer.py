"""The names of outputs: templates, and sources that want the same one."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.datasets.keys import SampleNamer
from pixmill.batch.naming.namer import FORMER_HASH_DIGITS, Namer
from pixmill.batch.naming.reserved import ReservedNames, collision_key, collision_stem, image_stem, is_reserved, name_key
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError
from pixmill.imaging.formats import extensions


def jpg(_path):
    return "jpg"


def to_jpeg(template="{dir}/{stem}.{ext}", **options):
    return Namer(Template.from_builtin(template), [("", jpg)], **options)


def test_the_source_tree_is_mirrored():
    assert to_jpeg().names([b"2026/may/a.png"]) == {b"2026/may/a.png": (b"2026/may/a.jpg",)}


def test_four_sources_that_want_one_name_get_four_names_in_every_order_of_discovery():
    sources = [b"a.jpg", b"a.png", b"A.JPG", b"a.webp"]
    expected = {b"a.jpg": (b"a.jpg",), b"a.png": (b"a.png.jpg",), b"A.JPG": (b"A.JPG.jpg",), b"a.webp": (b"a.webp.jpg",)}
    for seed in range(24):
        assert to_jpeg().names(random.Random(seed).sample(sources, k=4)) == expected


def test_a_name_that_was_made_up_never_takes_one_that_a_source_has_by_right():
    names = to_jpeg().names([b"a.jpg", b"a.png", b"a.png.jpg"])
    assert names[b"a.png.jpg"] == (b"a.png.jpg",)
    assert names[b"a.png"] == (b"a.png~2.jpg",)


def test_names_that_differ_only_in_unicode_form_are_one_name():
    composed, decomposed = (unicodedata.normalize(form, "\u00e9.png").encode() for form in ("NFC", "NFD"))
    names = to_jpeg().names([composed, decomposed])
    assert len({collision_key(name) for (name,) in names.values()}) == 2


def test_a_collision_is_refused_where_that_was_asked_for():
    with pytest.raises(ConfigError, match=r"a\.jpg and a\.png both map to the output name a\.jpg"):
        to_jpeg(refuse=True).names([b"a.png", b"a.jpg"])


def test_a_file_without_an_extension_keeps_its_whole_name():
    assert to_jpeg().names([b"x/scan"]) == {b"x/scan": (b"x/scan.jpg",)}


def test_renditions_are_told_apart_by_name():
    namer = Namer(Template().with_rendition(), [("320", jpg), ("640", jpg)])
    assert namer.names([b"a.png"]) == {b"a.png": (b"a-320.jpg", b"a-640.jpg")}


def test_a_template_without_a_folder_stays_in_the_folder_of_the_source():
    assert Template.from_builtin("{stem}_small.{ext}").render(b"d/a.png", extension="jpg") == b"d/a_small.jpg"


def test_a_template_with_a_hash_may_flatten_the_tree():
    flat = Template.from_builtin("{hash}.{ext}")
    first, second = (flat.render(path, extension="jpg") for path in (b"x/a.png", b"y/a.png"))
    assert first != second
    assert b"/" not in first


names = st.lists(
    st.builds(
        lambda stem, ext: stem + ext,
        st.sampled_from([b"a", b"A", b"b", b"a.png", b"\xff"]),
        st.sampled_from([b".jpg", b".JPG", b".png", b".webp", b""]),
    ),
    unique=True,
    max_size=12,
)


@given(names, st.randoms(use_true_random=False))
def test_no_two_sources_ever_share_a_name_and_the_order_does_not_matter(sources, chance):
    shuffled = chance.sample(sources, k=len(sources))
    given_names = to_jpeg().names(sources)
    assert given_names == to_jpeg().names(shuffled)
    identities = [collision_key(name) for (name,) in given_names.values()]
    assert len(set(identities)) == len(sources)


def test_a_hash_has_128_bits_so_that_no_two_paths_share_one():
    name = Template.from_builtin("{hash}.{ext}")
    paths = [b"album52895/photo.jpg", b"album56632/photo.jpg"]
    short = {name.render(path, extension="jpg", digits=FORMER_HASH_DIGITS) for path in paths}
    long = {name.render(path, extension="jpg") for path in paths}
    assert (len(short), len(long)) == (1, 2)
    assert {len(each) for each in long} == {HASH_DIGITS + len(b".jpg")}


class Owned:
    """Names that have owners, as a ledger has them."""

    def __init__(self, owners):
        self.owners = {name_key(name): owner for name, owner in owners.items()}

    def of_keys(self, keys):
        return {key: self.owners[key] for key in keys if key in self.owners}

    def of_stems(self, keys):
        return {stem: self.owners[key] for stem in keys for key in self.owners if key.startswith(stem + b".")}

    def named(self, owners):
        return set(owners).intersection(self.owners.values())

    def give(self, names):
        self.owners.update((name_key(name), owner) for owner, own in names.items() for name in own)

    def key(self, name):
        return name_key(name)


def test_a_source_keeps_the_shorter_hash_that_its_output_has_on_record():
    former = b"x/" + short(b"x/a.png")
    namer = to_jpeg("{dir}/{hash}.{ext}", owners=Owned({former: b"x/a.png", b"x/something.jpg": b"x/b.png"}))
    names = namer.names([b"x/a.png", b"x/b.png", b"x/c.png"])
    assert names[b"x/a.png"] == (former,)
    assert {len(names[source][0]) for source in (b"x/b.png", b"x/c.png")} == {len(b"x/.jpg") + HASH_DIGITS}
    assert not any(namer.is_renamed(source, own) for source, own in names.items())


def test_a_name_stays_with_the_source_that_has_it_whoever_comes_later():
    owners = Owned({})
    assert to_jpeg(owners=owners).names([b"a.png"]) == {b"a.png": (b"a.jpg",)}
    expected = {b"a.png": (b"a.jpg",), b"a.jpg": (b"a.jpg.jpg",)}
    assert to_jpeg(owners=owners).names([b"a.png", b"a.jpg"]) == expected
    assert to_jpeg(owners=owners).names([b"a.jpg", b"a.png"]) == expected
    assert to_jpeg(owners=owners).names([b"a.jpg"]) == {b"a.jpg": (b"a.jpg.jpg",)}
    assert to_jpeg(owners=owners).names([b"a.webp"]) == {b"a.webp": (b"a.webp.jpg",)}


def test_a_name_that_was_made_up_stays_also_when_a_better_one_is_free():
    owners = Owned({b"a.png~3.jpg": b"a.png", b"a.jpg": b"a.jpg", b"a.png.jpg": b"a.png.jpg", b"a.png~2.jpg": b"x"})
    del owners.owners[name_key(b"a.jpg")]
    owners.owners[name_key(b"a.webp")] = owners.owners[name_key(b"a.png~9.webp")] = b"a.png"
    assert to_jpeg(owners=owners).names([b"a.png"]) == {b"a.png": (b"a.png~3.jpg",)}


def test_a_name_with_a_large_number_stays_as_long_as_those_before_it_are_taken():
    taken = {b"a.png.jpg": b"x", **{b"a.png~%d.jpg" % number: b"x" for number in range(2, 9)}}
    assert to_jpeg(owners=Owned({**taken, b"a.png~9.jpg": b"a.png"})).names([b"a.png"]) == {b"a.png": (b"a.png~9.jpg",)}


def test_another_format_gets_a_name_of_its_own():
    owners = Owned({b"a.jpg": b"a.png"})
    namer = Namer(Template(), [("", "webp")], owners=owners)
    assert namer.names([b"a.png", b"a.jpg"]) == {b"a.png": (b"a.png.webp",), b"a.jpg": (b"a.webp",)}


def test_equal_paths_of_two_sources_get_two_names():
    owners = Owned({})
    assert to_jpeg(owners=owners).names([b"x/a.png"]) == {b"x/a.png": (b"x/a.jpg",)}
    other = to_jpeg(owners=owners, key_of=lambda path: b"/other/" + path)
    assert other.names([b"x/a.png"]) == {b"x/a.png": (b"x/a.png.jpg",)}
    assert other.names([b"x/a.png"]) == {b"x/a.png": (b"x/a.png.jpg",)}


def test_a_name_that_another_has_is_a_collision_where_these_are_refused():
    with pytest.raises(ConfigError, match=r"a\.png and a\.jpg both map to the output name a\.jpg"):
        to_jpeg(refuse=True, owners=Owned({b"a.jpg": b"a.png"})).names([b"a.jpg"])


def test_a_sample_key_belongs_to_one_source_whatever_its_members_are_called():
    namer = SampleNamer(Template(), [("", "png")], owners=Owned({b"x/a.jpg": b"x/a.jpg"}))
    assert namer.names([b"x/a.png"]) == {b"x/a.png": (b"x/a_png.png",)}


@given(st.lists(names, min_size=1, max_size=4))
def test_names_never_change_and_are_never_shared_as_sources_come_and_go(runs):
    owners, named = Owned({}), {}
    for sources in runs:
        for source, own in to_jpeg(owners=owners).names(sources).items():
            assert named.setdefault(source, own) == own
    assert len({collision_key(name) for (name,) in named.values()}) == len(named)


def short(path):
    return Template.from_builtin("{hash}.{ext}").render(path, extension="jpg", digits=FORMER_HASH_DIGITS)


@pytest.mark.parametrize(
    "name",
    [
        ".pixmill/ledger.sqlite",
        "a/.pixmill/b.jpg",
        ".pixmill",
        "a/.PixMill",
        ".PIXMILL/x",
        ".pixmill ./x",
        ".pix\u200cmill/x",
        "PIXMIL~1/x",
    ],
)
def test_no_output_is_called_like_what_lies_in_a_state_folder(name):
    assert is_reserved(name.encode())
    names = [b"a.jpg", name.encode(), b"b.jpg"]
    assert ReservedNames(None).may_include(names)
    assert ReservedNames(None).error(names).startswith("its output name")


def test_no_output_lies_in_a_folder_that_state_names():
    reserved = ReservedNames(b"My state")
    assert reserved.may_include([b"my state/a.jpg"])
    assert reserved.error([b"b.jpg", b"my STATE/a.jpg"])
    assert reserved.error([b"my state"])
    assert not reserved.error([b"my states/a.jpg", b"a/my state/b.jpg"])


@pytest.mark.parametrize("name", [".pixmill-notes/x.jpg", "pixmill/x.jpg", "a.pixmill", "x/y.jpg", "\u00e9/pixmil~.jpg"])
def test_what_is_only_similar_is_an_ordinary_name(name):
    assert not is_reserved(name.encode())


@pytest.mark.parametrize(
    ("template", "sources", "folders", "expected"),
    [
        ("{dir}/{stem}.{ext}", [b"a.png"], [b"a.jpg"], [b"a.png.jpg"]),
        ("{dir}/{stem}.{ext}", [b"a.png"], [b"A.JPG"], [b"a.png.jpg"]),
        ("{dir}/{stem}.{ext}", [b"a.png"], [b"a.jpg", b"a.png.jpg"], [b"a.png~2.jpg"]),
        ("{dir}/{stem}.{ext}", [b"a.jpg"], [b"a.jpg"], [b"a.jpg.jpg"]),
        ("{dir}/{stem}.{ext}", [b"p/a.png", b"p/a.webp"], [b"p/a.jpg"], [b"p/a.png.jpg", b"p/a.webp.jpg"]),
        ("{dir}/{stem}.{ext}", [b"a.png"], [b"a", b"a.png", b"b.jpg"], [b"a.jpg"]),
        ("{dir}/{stem}", [b"2024.png"], [b"2024.jpg"], [b"2024.png.jpg"]),
        ("{dir}/{name}", [b"a.png"], [b"a.png.jpg"], [b"a.png~2.jpg"]),
        ("small/{dir}/{stem}.{ext}", [b"a.png"], [b"a.jpg"], [b"small/a.png.jpg"]),
        ("{dir}/{rendition}/{stem}.{ext}", [b"a.png"], [b"a.jpg"], [b"a.png.jpg"]),
        ("{hash}.{ext}", [b"a.png"], [b"a.jpg"], None),
    ],
)
def test_no_output_is_called_like_a_folder_of_the_output(template, sources, folders, expected):
    for seed in range(3):
        chance = random.Random(seed)
        mixed = chance.sample(sources, k=len(sources)), chance.sample(folders, k=len(folders))
        names = to_jpeg(template).names(*mixed)
        assert expected is None or [names[source][0] for source in sources] == expected


def test_the_folders_in_the_way_are_those_of_each_call():
    namer = to_jpeg()
    assert namer.names([b"a.png"], [b"a.jpg"]) == {b"a.png": (b"a.png.jpg",)}
    assert namer.names([b"a.png"], [b"b.jpg"]) == {b"a.png": (b"a.jpg",)}
    assert namer.names([b"b.png"], [b"b.jpg"]) == {b"b.png": (b"b.png.jpg",)}
    assert namer.names([b"b.png"]) == {b"b.png": (b"b.jpg",)}


def test_a_folder_in_the_way_is_a_collision_where_these_are_refused():
    with pytest.raises(ConfigError, match=r"a\.jpg/ and a\.png both map to the output name a\.jpg"):
        to_jpeg(refuse=True).names([b"a.png"], [b"a.jpg"])


def test_two_outputs_of_one_image_that_want_one_name_get_two():
    both = Namer(Template(), [("", jpg), ("", "jpg"), ("", "webp"), ("", "JPG")])
    assert both.names([b"a/b.jpg"]) == {b"a/b.jpg": (b"a/b.jpg", b"a/b~2.jpg", b"a/b.webp", b"a/b~3.JPG")}
    assert not both.is_renamed(b"a/b.jpg", both.names([b"a/b.jpg"])[b"a/b.jpg"])


def test_two_members_of_one_sample_that_want_one_name_get_two():
    both = SampleNamer(Template(), [("", jpg), ("", "jpg")])
    assert both.names([b"a/b.jpg"]) == {b"a/b.jpg": (b"a/b.jpg", b"a/b.2.jpg")}


@given(names, st.lists(st.sampled_from([b"a.jpg", b"A", b"b.jpg", b"a.png.jpg", b"a"]), unique=True))
def test_names_are_the_same_whether_a_folder_is_named_whole_or_in_parts_that_cannot_collide(sources, folders):
    whole = to_jpeg(owners=Owned({})).names(sources, folders)
    by_stem = {}
    for source in sorted(sources, key=collision_stem):
        by_stem.setdefault(collision_stem(source), []).append(source)
    namer, in_parts = to_jpeg(owners=Owned({})), {}
    for part in by_stem.values():
        in_parts |= namer.names(part, folders)
    assert in_parts == whole


images = st.lists(
    st.builds(
        lambda stem, ext: stem + ext,
        st.sampled_from(
            [b"a", b"A", b"a.png", b"a.PNG", b"a.0001", b"A.0001.png", b"a.0001.0002", b"a~2", b"a.png~2", b"a..b", b"1"]
        ),
        st.sampled_from([b".jpg", b".JPG", b".png", b".webp", b".3fr"]),
    ),
    unique=True,
    max_size=16,
)


@given(images, st.lists(st.sampled_from([b"a.jpg", b"a.0001.jpg", b"a.0001.png.jpg"]), unique=True))
def test_images_with_extensions_are_named_alike_in_the_smaller_parts_that_they_allow(sources, folders):
    whole = to_jpeg(owners=Owned({})).names(sources, folders)
    namer, in_parts = to_jpeg(owners=Owned({})), {}
    for stem in sorted(set(map(image_stem, sources))):
        in_parts |= namer.names([source for source in sources if image_stem(source) == stem], folders)
    assert in_parts == whole


def test_no_extension_of_an_image_is_a_number():
    assert not [extension for extension in extensions({"svg", "pdf"}) if extension.isdigit()]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        (b"Shot.0001.PNG", b"shot.0001"),
        (b"shot.0001.png.jpg", b"shot.0001"),
        (b"a.jpg", b"a"),
        (b"a.b.c.jpg", b"a"),
        (b".hidden.jpg", b".hidden"),
        (b"a..jpg", b"a"),
        (b"a", b"a"),
        (b"a.1", b"a.1"),
        (b"a~1.gif", b"a~1"),
    ],
)
def test_what_a_name_of_an_image_has_in_common_with_others(name, stem):
    assert image_stem(name) == stem


def test_a_name_with_many_endings_is_taken_apart_at_once():
    name = b"x" + b".aaa" * 60 + b".1"
    assert image_stem(name) == name  # were there two ways to match each part, this would not end


def test_owners_are_looked_up_for_a_few_names_and_not_for_a_folder():
    owners = Counting({b"x/%d.jpg" % number: b"x/%d.png" % number for number in range(1000)})
    to_jpeg(owners=owners).names([b"x/7.png"])
    assert owners.asked == [name_key(b"x/7.jpg")]
    owners.asked.clear()
    to_jpeg(owners=owners).names([b"x/7.gif", b"x/new.gif"])
    assert len(owners.asked) < 10


class Counting(Owned):
    """Names that have owners, and the names that somebody asked for."""

    def __init__(self, owners):
        super().__init__(owners)
        self.asked = []

    def of_keys(self, keys):
        self.asked += keys
        return super().of_keys(keys)


PARTS = st.lists(st.sampled_from([b"", b".", b"..", b"a", b"a.b", b".a", b"a.", b"\xff.jpg", b"A b.c.d"]), min_size=1, max_size=4)


@given(PARTS.map(b"/".join), st.sampled_from(["jpg", "webp", "\udcff"]))
def test_the_usual_template_names_as_any_other_does(path, extension):
    """It is rendered in a way of its own, which takes half the time."""
    usual, other = Template("{dir}/{stem}.{ext}"), Template("{dir}/{stem}.{ext}{rendition}")
    assert usual.render(path, extension=extension) == other.render(path, extension=extension)
