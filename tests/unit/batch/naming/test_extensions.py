"""Names end in an extension of their format, whatever the template; those of earlier versions stay as they are."""

import pytest

from pixmill.batch.datasets.keys import SampleNamer
from pixmill.batch.naming.late import LateNamer
from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.naming.template import Template


class Owned:
    """Names that have owners, as a ledger has them."""

    key = staticmethod(name_key)

    def __init__(self, owners):
        self.owners = {name_key(name): owner for name, owner in owners.items()}

    def of_keys(self, keys):
        return {key: self.owners[key] for key in keys if key in self.owners}

    def of_stems(self, keys):
        return {stem: self.owners[key] for stem in keys for key in self.owners if key.startswith(stem + b".")}

    def named(self, owners):
        return set(owners).intersection(self.owners.values())

    def give(self, names):
        self.owners |= {name_key(name): owner for owner, own in names.items() for name in own}


def namer(template, extension="jpg", **options):
    return Namer(Template.from_builtin(template), [("", extension)], **options)


def named(template, source, extension="jpg"):
    return namer(template, extension).names([source])[source][0]


@pytest.mark.parametrize(
    ("template", "source", "name"),
    [
        ("{stem}_thumb", b"a.png", b"a_thumb.jpg"),
        ("{stem}.large", b"a.png", b"a.large.jpg"),
        ("{ext}/{stem}", b"a.png", b"jpg/a.jpg"),
        ("{stem}/{ext}", b"a.png", b"a/jpg.jpg"),
        ("{stem}-{ext}", b"a.png", b"a-jpg.jpg"),
        ("{stem}.{ext}.old", b"a.png", b"a.jpg.old"),
        ("{name}", b"a.jpeg", b"a.jpeg"),
        ("{name}", b"a.JPG", b"a.JPG"),
        ("{name}", b"a.webp", b"a.webp.jpg"),
        ("{name}", b"scan", b"scan.jpg"),
        ("{name}", b"notes.txt", b"notes.txt.jpg"),
        ("small-{name}", b"d/a.webp", b"d/small-a.webp.jpg"),
        ("{stem}.jpeg", b"a.png", b"a.jpeg"),
    ],
)
def test_a_name_ends_in_an_extension_of_its_format(template, source, name):
    assert named(template, source) == name


def test_the_format_of_the_source_decides_where_it_is_kept():
    assert named("{stem}.jpg", b"a.png", extension="png") == b"a.jpg.png"
    assert named("{name}", b"a.JPG", extension="JPG") == b"a.JPG"


def test_several_formats_have_different_names():
    several = Namer(Template.from_builtin("{stem}_s"), [("", "jpg"), ("", "webp")])
    assert several.names([b"a.png"])[b"a.png"] == (b"a_s.jpg", b"a_s.webp")


def test_sizes_and_formats_are_told_apart():
    both = Namer(Template.from_builtin("{name}").with_rendition(), [("320", "jpg"), ("640", "webp")])
    assert both.names([b"a.png"])[b"a.png"] == (b"a.png-320.jpg", b"a.png-640.webp")


def test_the_number_after_a_collision_is_followed_by_the_extension():
    names = namer("{name}").names([b"a.png", b"a.png.jpg"])
    assert names == {b"a.png.jpg": (b"a.png.jpg",), b"a.png": (b"a.png~2.jpg",)}


def test_a_late_name_gets_one_too():
    late = LateNamer(Template.from_builtin("{date}-{name}"), [""], refuse=False)
    names, _ = late.choose(b"a.webp", [{"date": "2024-05-17T10:11:12"}], ["jpg"], is_free=lambda _: True)
    assert names == (b"2024-05-17-a.webp.jpg",)


def test_a_key_of_a_dataset_gets_none():
    keys = SampleNamer(Template.from_builtin("{stem}"), [("", "jpg")])
    assert keys.names([b"a.png"])[b"a.png"] == (b"a.jpg",)


def test_a_name_without_one_that_was_given_stays():
    owners = Owned({b"a_thumb": b"a.png", b"a.webp_thumb": b"a.webp", b"a.gif~2_thumb": b"a.gif"})
    again = namer("{stem}_thumb", owners=owners)
    names = again.names([b"a.png", b"a.webp", b"a.gif", b"b.png"])
    assert names[b"a.png"] == (b"a_thumb",)
    assert names[b"a.webp"] == (b"a.webp_thumb",)
    assert names[b"a.gif"] == (b"a.gif~2_thumb",)
    assert names[b"b.png"] == (b"b_thumb.jpg",)
    assert not again.is_renamed(b"a.png", names[b"a.png"])
    assert again.is_renamed(b"a.gif", names[b"a.gif"])


def test_a_name_with_the_extension_of_the_source_that_was_given_stays():
    owners = Owned({b"a.webp": b"a.webp"})
    assert namer("{name}", owners=owners).names([b"a.webp", b"b.webp"]) == {
        b"a.webp": (b"a.webp",),
        b"b.webp": (b"b.webp.jpg",),
    }
