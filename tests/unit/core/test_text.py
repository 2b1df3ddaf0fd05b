import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.core.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"plain.jpg", "plain.jpg"),
        ("Grüße 日本\u3000.jpg", "Grüße 日本\u3000.jpg"),
        (b"a\nb", r"a\nb"),
        (b"\x1b[31mred\x07", r"\x1b[31mred\x07"),
        (b"\xff\xc3", r"\xff\xc3"),
        ("\udcff", r"\xff"),
        ("\ud800", r"\ud800"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2028\x85\x7f", r"\u2028\x85\x7f"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_could_act_is_written_as_an_escape(text, shown):
    assert printable(text) == shown


def test_paths_are_shown_too(tmp_path):
    assert printable(tmp_path / os.fsdecode(b"\xff")) == f"{tmp_path}/\\xff"


@given(st.binary())
def test_any_bytes_become_one_line_of_encodable_text(text):
    shown = printable(text)
    assert bool(shown.encode()) == bool(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
