"""When a picture was taken, from EXIF of every kind, damaged ones included."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.metadata.capture_time import CHANGED, DIGITIZED, EXIF_DIRECTORY, TAKEN, capture_time
from pixmill.imaging.pipeline.describe import describe
from pixmill.imaging.recipe import Recipe

DATE = b"2024:05:17 10:11:12\0"


def block(main=(), details=(), *, order="<"):
    """Return an EXIF block with these texts, by tag."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    count = len(main) + bool(details)
    begin = 8 + 2 + 12 * count + 4
    directory, values = _entries(dict(main), begin, order)
    if details:
        inner_at = begin + len(values)
        inner, inner_values = _entries(dict(details), inner_at + 2 + 12 * len(details) + 4, order)
        directory += struct.pack(order + "HHII", EXIF_DIRECTORY, 4, 1, inner_at)
        values += struct.pack(order + "H", len(details)) + inner + bytes(4) + inner_values
    return mark + struct.pack(order + "IH", 8, count) + directory + bytes(4) + values


def _entries(texts, begin, order):
    rows, values = b"", b""
    for tag, text in texts.items():
        rows += struct.pack(order + "HHII", tag, 2, len(text), begin + len(values))
        values += text
    return rows, values


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_the_time_of_the_picture_comes_before_those_of_later_steps(order, prefix):
    later, last = DATE.replace(b"2024", b"2025"), DATE.replace(b"2024", b"2026")
    details = {TAKEN: DATE, DIGITIZED: later}
    assert capture_time(prefix + block({CHANGED: last}, details, order=order)) == "2024-05-17T10:11:12"
    assert capture_time(prefix + block({CHANGED: last}, {DIGITIZED: later}, order=order)) == "2025-05-17T10:11:12"
    assert capture_time(prefix + block({CHANGED: last}, order=order)) == "2026-05-17T10:11:12"


@pytest.mark.parametrize(
    "text", [b"0000:00:00 00:00:00\0", b"    :  :     :  :  \0", b"2024:13:01 00:00:00\0", b"yesterday\0", b""]
)
def test_a_time_that_is_none_is_passed_over(text):
    assert capture_time(block({CHANGED: DATE}, {TAKEN: text})) == "2024-05-17T10:11:12"
    assert capture_time(block((), {TAKEN: text})) == ""


@pytest.mark.parametrize("text", [b"2024-05-17T10:11:12\0", b"2024:05:17 10:11:12.5+02:00\0", b"2024/05/17 10:11:12\0"])
def test_the_spellings_of_other_programs_are_read(text):
    assert capture_time(block((), {TAKEN: text})) == "2024-05-17T10:11:12"


def test_a_block_that_is_cut_off_anywhere_has_a_time_or_none():
    whole = block({CHANGED: DATE}, {TAKEN: DATE})
    assert {capture_time(whole[:length]) for length in range(len(whole))} <= {"", "2024-05-17T10:11:12", "2024-05-17T00:00:00"} | {
        f"2024-05-17T10:11:{second}" for second in ("00", "12")
    }


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*"]))
def test_no_bytes_do_any_harm(data, mark):
    capture_time(mark + data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("is_file", [True, False])
def test_each_format_is_described_without_being_decoded(tmp_path, kind, is_file):
    exif = Image.Exif()
    exif[271], exif[0x112] = "maker", 6
    exif.get_ifd(EXIF_DIRECTORY)[TAKEN] = DATE[:-1].decode()
    buffer = BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, kind, exif=exif)
    file = tmp_path / "picture"
    file.write_bytes(buffer.getvalue())
    found = describe(Input(path=file) if is_file else Input(buffer.getvalue()), Recipe(), with_metadata=True)
    assert (found.width, found.height) == (48, 64)
    assert found.values["date"] == "2024-05-17T10:11:12"


def test_a_tiff_file_is_its_own_exif(tmp_path):
    file = tmp_path / "picture.tif"
    Image.new("RGB", (64, 48)).save(file, tiffinfo={CHANGED: DATE[:-1].decode()})
    assert describe(Input(path=file), Recipe(), with_metadata=True).values["date"] == "2024-05-17T10:11:12"
