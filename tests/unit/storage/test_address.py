import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


@pytest.mark.parametrize(
    "path",
    [
        "photos",
        "/srv/photos",
        "a:b",
        "C:\\photos",
        "c:/photos",
        "-x",
        "--flag",
        "~",
        "file:x",
        "x:/y",
        "a b",
        "100%",
        "a?b",
        "://x",
        "1s://x",
    ],
)
def test_what_has_no_scheme_is_a_local_path_as_it_stands(path):
    assert Address.parse(path) == Address("file", os.fsencode(path))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/photos", b"/srv/photos"),
        ("FILE:///srv", b"/srv"),
        ("file://localhost/srv", b"/srv"),
        ("file:///a%20b%FF%0A", b"/a b\xff\n"),
        ("file:///a?b#c", b"/a?b#c"),
    ],
)
def test_file_urls_are_decoded(url, path):
    assert Address.parse(url) == Address("file", path)


def test_other_urls_keep_their_location():
    assert Address.parse("memory://some/thing%20x") == Address("memory", b"some/thing%20x")


def test_bytes_and_path_objects_are_never_urls(tmp_path):
    assert Address.parse(b"memory://x") == Address("file", b"memory://x")
    assert Address.parse(tmp_path) == Address("file", os.fsencode(tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "received an empty string"),
        ("a\0b", r"received a\\x00b, which contains a NUL"),
        ("file://photos/x", "names a file on the host 'photos'"),
        ("fiel:///x", "unknown storage scheme 'fiel'; did you mean 'file'"),
        ("gopher://x", "choose one of az, file, "),
    ],
)
def test_an_address_that_cannot_be_used_is_explained(text, sentence):
    with pytest.raises(AddressError, match=sentence):
        open_storage(text)


@given(st.binary(min_size=1).filter(lambda path: b"\0" not in path))
def test_the_url_of_any_path_leads_back_to_it_in_plain_ascii(path):
    url = Address("file", path).url
    assert url.isascii()
    assert url.isprintable()
    assert Address.parse(url).location == os.path.abspath(path)  # noqa: PTH100  # the path is bytes


def test_an_address_is_shown_safely():
    assert str(Address("file", b"a\x1b[0m\xff")) == r"a\x1b[0m\xff"
    assert str(Address("memory", b"x\n")) == r"memory://x\n"
