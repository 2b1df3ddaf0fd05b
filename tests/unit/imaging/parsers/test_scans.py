"""Headers are read from markers and chunks alone."""

import io

import pytest
from msgspec.structs import replace
from PIL import Image

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import vips_load
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import jpeg as jpeg_scan
from pixmill.imaging.parsers import png


def jpeg(**settings):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, "JPEG", **settings)
    return file.getvalue()


def split(data, size):
    return iter([data[start : start + size] for start in range(0, len(data), size)])


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**6])
def test_scans_are_counted_however_the_file_comes_in_pieces(size):
    assert jpeg_scan.scan(split(jpeg(), size)).scans == 1
    progressive = jpeg_scan.scan(split(jpeg(progressive=True), size))
    assert progressive.progressive
    assert progressive.scans == jpeg(progressive=True).count(b"\xff\xda") > 5


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_nothing_is_read_behind_the_scan_that_has_the_whole_picture(size):
    data = jpeg()
    pieces = split(data + data[data.index(b"\xff\xda") :] * 3, size)
    assert jpeg_scan.scan(pieces).scans == 1
    assert sum(map(len, pieces)) > 3 * len(data) // 2


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_sequential_picture_may_have_a_scan_for_each_channel(size):
    data = jpeg()
    start = data.index(b"\xff\xda")
    alone = b"".join(b"\xff\xda\0\x08\1" + bytes([channel]) + b"\0\0\x3f\0" + b"coded" for channel in (1, 2, 3))
    assert jpeg_scan.scan(split(data[:start] + alone + b"\xff\xd9", size)).scans == 3


def test_a_thumbnail_inside_exif_is_no_scan():
    exif = b"Exif\0\0" + jpeg()
    data = jpeg()
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif
    found = jpeg_scan.scan(iter([data[:2] + segment + data[2:]]))
    assert found.scans == 1
    assert found.metadata_size > len(exif)


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (17, 300)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "settings", [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"restart_marker_blocks": 1}, {"comment": b"x"}]
)
def test_markers_alone_say_what_libvips_reads_of_a_plain_file(mode, size, settings):
    file = io.BytesIO()
    Image.effect_noise(size, 50).convert(mode).save(file, "JPEG", **settings)
    source = Input(file.getvalue())
    assert jpeg_scan.scan(source.chunks()).is_plain
    assert replace(Jpeg.header(source), scans=1, progressive=False, metadata_size=0) == vips_load.read_header(
        source, Jpeg.format, "jpegload"
    )


@pytest.mark.parametrize("settings", [{"exif": Image.Exif()}, {"icc_profile": b"x" * 200}, {"xmp": b"<x/>"}])
def test_a_file_with_metadata_or_of_four_channels_is_not_plain(settings):
    settings.get("exif", {})[0x0112] = 6
    assert not jpeg_scan.scan(iter([jpeg(**settings)])).is_plain
    file = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(file, "JPEG")
    assert not jpeg_scan.scan(iter([file.getvalue()])).is_plain


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0", b"\xff\xd8\xff\xd9", b"\xff\xd8" + b"\xff" * 9]
)
def test_a_file_that_ends_early_has_no_scans(data):
    assert jpeg_scan.scan(iter([data])).scans == 0


@pytest.mark.parametrize(("kind", "word"), [(0xC3, "lossless"), (0xC5, "hierarchical")])
def test_kinds_that_nothing_reads_are_unsupported(kind, word):
    with pytest.raises(UnsupportedError, match=word):
        jpeg_scan.check(jpeg_scan.Scan(scans=1, kind=kind))


def test_twelve_bits_are_unsupported():
    with pytest.raises(UnsupportedError, match="12 bits"):
        jpeg_scan.check(jpeg_scan.Scan(scans=1, kind=0xC1, precision=12))


def test_chunks_of_a_png_say_frames_and_interlace():
    frames = [Image.new("L", (8, 8), gray) for gray in (0, 255)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    found = png.scan(file.getvalue())
    assert (found.frames, found.interlaced) == (2, False)


def test_chunks_of_nothing_say_nothing():
    assert png.scan(b"") == png.Chunks()


def test_a_marker_that_lies_on_the_edge_of_a_piece_is_read_whole():
    data = jpeg(progressive=True)
    frame = data.index(b"\xff\xc2")
    for cut in range(frame - 3, frame + 8):
        assert jpeg_scan.scan(iter([data[:cut], data[cut:]])) == jpeg_scan.scan(iter([data]))


@pytest.mark.timeout(20)
def test_a_file_of_nothing_but_fill_bytes_takes_no_longer_than_it_takes_to_look_at_them():
    for junk in (b"\0", b"\xff", b"\xff\xd0"):
        assert jpeg_scan.scan(split(b"\xff\xd8" + junk * 20_000_000, 1 << 20)).scans == 0


def test_a_chunk_that_claims_to_be_gigabytes_long_is_skipped():
    claim = b"\x89PNG\r\n\x1a\n" + (2**31 - 1).to_bytes(4) + b"tEXt"
    assert png.scan(claim + bytes(1000)) == png.Chunks()


@pytest.mark.timeout(20)
def test_a_file_of_nothing_but_empty_chunks_takes_no_longer_than_it_takes_to_look_at_them():
    assert png.scan(b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"tEXt" + bytes(4)) * 2_000_000) == png.Chunks()
