"""Names that every file system accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.portable import MAX_BYTES, Spelling, portable
from pixmill.batch.naming.template import Template


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Ärzte/文.jpg", "Ärzte/文.jpg"),
        ("console.jpg", "console.jpg"),
        ('a:b?c*d|e"f<g>h\\i.jpg', "a_b_c_d_e_f_g_h_i.jpg"),
        ("a\x01b\x7f.jpg", "a_b_.jpg"),
        ("day. /e.jpg.", "day__/e.jpg_"),
        ("CON.jpg", "CON_.jpg"),
        ("com1/nul/lpt9.tar.jpg", "com1_/nul_/lpt9_.tar.jpg"),
        ("aux .jpg", "aux_ .jpg"),
        ("...", "___"),
    ],
)
def test_what_windows_refuses_becomes_an_underscore_and_nothing_else_changes(name, spelled):
    assert portable(name.encode()) == spelled.encode()


def test_bytes_that_are_no_text_become_an_underscore():
    assert portable(b"a\xff\xfe/\xc3\xa4.jpg") == b"a__/\xc3\xa4.jpg"


def test_a_name_that_is_too_long_keeps_its_extension_and_differs_from_others():
    names = [portable(("ü" * 200 + ending + ".jpg").encode()) for ending in ("a", "b")]
    assert len(set(names)) == 2
    assert all(len(name) <= MAX_BYTES and name.endswith(b".jpg") and name.decode() for name in names)


@given(st.binary(max_size=300).filter(lambda name: b"\0" not in name))
def test_a_portable_name_is_spelled_as_it_is(name):
    spelled = portable(name)
    assert portable(spelled) == spelled
    assert all(len(part) <= MAX_BYTES for part in spelled.split(b"/"))
    assert spelled.count(b"/") == name.count(b"/")


def test_sources_whose_names_become_the_same_get_names_of_their_own():
    sources = [
        *(b"x%c.png" % character for character in b":?*|<>"),
        b"x_.png",
        b"x_.jpg",
        *(b"y" * 250 + b"%d.jpg" % n for n in range(3)),
    ]
    names = Namer(Template(), [("", "jpg")], spelling=Spelling(lambda _: True)).names(sources)
    assert names[b"x_.jpg"] == (b"x_.jpg",)
    made = [name for each in names.values() for name in each]
    assert len(set(made)) == len(sources)
    assert all(portable(name) == name for name in made)
