"""How a JPEG was encoded, compared with what Pillow was asked to write."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixmill.imaging.parsers.jpeg_tables import Encoding, read

PICTURE = Image.effect_noise((48, 32), 40).convert("RGB")


def stored(picture=PICTURE, **settings):
    file = io.BytesIO()
    picture.save(file, "JPEG", **settings)
    return file.getvalue()


def test_every_quality_is_recognised():
    assert [read(stored(quality=quality)).quality for quality in range(1, 101)] == list(range(1, 101))


@pytest.mark.parametrize(("name", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
@pytest.mark.parametrize("progressive", [False, True])
def test_chroma_and_the_order_of_the_scans_are_recognised(name, factors, progressive):
    assert read(stored(quality=70, subsampling=name, progressive=progressive)) == Encoding(70, factors, is_progressive=progressive)


def test_a_gray_picture_has_no_chroma():
    assert read(stored(PICTURE.convert("L"), quality=70)) == Encoding(70)


def test_a_quality_between_two_counts_as_the_lower_one():
    tables = [list(table) for table in Image.open(io.BytesIO(stored(quality=70))).quantization.values()]
    tables[0][5] += 1
    assert read(stored(qtables=tables)).quality == 69


@given(st.integers(0, 700), st.integers(0, 699), st.integers(0, 255))
def test_damaged_files_have_a_quality_that_is_valid_or_unknown(length, place, value):
    data = bytearray(stored(quality=70)[:length])
    data[place : place + 1] = bytes([value])
    assert 0 <= read(bytes(data)).quality <= 100
