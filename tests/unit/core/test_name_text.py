"""Names as text for other programs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.core.name_text import escaped, name_bytes, name_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.jpg", "plain.jpg"),
        ("caf\u00e9 \U0001f600.jpg".encode(), "caf\u00e9 \U0001f600.jpg"),
        (b"caf\xe9.jpg", "caf%00E9.jpg"),
        (b"\xff\xfe", "%00FF%00FE"),
        (b"100% a%20b.jpg", "100% a%20b.jpg"),
        (b"a%00E9.jpg", "a%2500E9.jpg"),
        (b"a%2500E9.jpg", "a%252500E9.jpg"),
    ],
)
def test_a_name_is_text_that_leads_back_to_it(name, text):
    assert name_text(name) == text
    assert name_bytes(text) == name


@given(st.binary() | st.lists(st.sampled_from([b"%", b"25", b"00", b"E9", b"\xe9", b"x"])).map(b"".join))
def test_every_name_can_be_had_again(name):
    text = name_text(name)
    text.encode()  # has no surrogates
    assert name_bytes(text) == name


def test_the_text_of_earlier_versions_is_read():
    assert name_bytes("caf\udce9.jpg") == b"caf\xe9.jpg"


def test_what_is_no_byte_and_no_character_is_replaced():
    assert escaped("a\ud800b\udce9") == "a\ufffdb%00E9"
