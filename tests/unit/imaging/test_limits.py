"""Each limit applies just above its value and not at it, from the header alone, and the error says how to raise it."""

import struct
import zlib

import pytest

from pixmill.core.errors import LimitError
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.limits import Limits
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

ANY = Format(name="any", label="ANY", extensions=("any",), mime="")


def png_header(width, height):
    """Return a PNG that declares this size but has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ends = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    chunks = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in ends)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("within", "beyond", "code"),
    [
        ({"width": 10_000, "height": 10_000}, {"width": 10_000, "height": 10_001}, "limit-pixels"),
        ({"width": 65_500, "height": 1}, {"width": 65_501, "height": 1}, "limit-side"),
        ({"width": 1, "height": 65_500}, {"width": 1, "height": 65_501}, "limit-side"),
        ({"width": 1, "height": 1, "scans": 100}, {"width": 1, "height": 1, "scans": 101}, "limit-scans"),
        (
            {"width": 1, "height": 1, "metadata_size": 32_000_000},
            {"width": 1, "height": 1, "metadata_size": 32_000_001},
            "limit-metadata",
        ),
    ],
)
def test_each_limit_holds_just_above_itself(within, beyond, code):
    Limits().check(Header(format=ANY, **within))
    with pytest.raises(LimitError) as refused:
        Limits().check(Header(format=ANY, **beyond))
    assert refused.value.code == code
    raised = Limits.from_builtins(refused.value.options)
    assert list(refused.value.options) == [f"max_{code.removeprefix('limit-')}"]
    raised.check(Header(format=ANY, **beyond))


def test_an_image_beyond_several_limits_names_the_options_for_all():
    header = Header(format=ANY, width=70_000, height=2_000)
    with pytest.raises(LimitError) as refused:
        Limits().check(header)
    assert refused.value.code == "limit-side"
    assert refused.value.hint == "pixmill retry DST --max-side 70000 --max-pixels 140MP"
    Limits.from_builtins(refused.value.options).check(header)


def test_a_kept_animation_counts_every_frame():
    header = Header(format=ANY, width=1000, height=1000, frames=101)
    Limits().check(header, frames=100)
    with pytest.raises(LimitError, match="101,000,000 pixels; the limit is 100,000,000"):
        Limits().check(header, frames=101)
    tiny = Header(format=ANY, width=1, height=1, frames=2001)
    Limits().check(tiny, frames=2000)
    with pytest.raises(LimitError, match="2,001 frames"):
        Limits().check(tiny, frames=2001)


def test_a_bomb_is_refused_before_anything_is_decoded():
    stages = []
    with pytest.raises(LimitError):
        process(Input(png_header(20_000, 20_000)), Recipe(), enter=stages.append)
    assert stages == ["header"]


def test_a_raised_limit_lets_a_picture_through_to_the_decoder():
    stages = []
    recipe = Recipe.from_builtins({"limits": {"max_pixels": "500MP"}})
    with pytest.raises(Exception, match="PNG"):
        process(Input(png_header(20_000, 20_000)), recipe, enter=stages.append)
    assert stages == ["header", "decode"]
