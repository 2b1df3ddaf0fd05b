"""Files that are not images, truncated or malicious are refused with a message, from the header; nothing is run or written."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import DecodeError, EncodeError, ImageError, LimitError, UnsupportedError
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import read_header
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

TM = "good/twelvemonkeys/imageio-"


def default(data):
    """Process bytes with the default recipe."""
    return process(Input(data), Recipe())


def refusal(kind, data, **recipe):
    """Return the error of this type that the default recipe raises."""
    with pytest.raises(kind) as refused:
        process(Input(data), Recipe.from_builtins(recipe))
    return refused.value


def stages(data):
    """Return the stages that were entered before the image was refused, and the error."""
    entered = []
    with pytest.raises(ImageError) as refused:
        process(Input(data), Recipe(), enter=entered.append)
    return entered, refused.value


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bad/jpeg-decoder/empty.jpg", "not-an-image"),
        ("bad/thumbor/image_invalid.jpg", "not-an-image"),
        ("bad/imagetragick/delete.jpg", "not-an-image"),
        ("bad/imagetragick/http.jpg", "not-an-image"),
        ("bad/imagetragick/msl.jpg", "not-an-image"),
        ("bad/imagetragick/rce2.jpg", "not-an-image"),
        ("bad/imagetragick/read.jpg", "not-an-image"),
        ("bad/patt/Picture ImageMagick/imagetragik1_payload_url_portscan.jpg", "not-an-image"),
        ("bad/patt/Picture ImageMagick/imagetragik2_centos_id.jpg", "not-an-image"),
        ("bad/patt/Picture ImageMagick/imagemagick_ghostscript_cmd_exec.pdf", "not-an-image"),
        ("bad/patt/Picture Metadata/CVE-2021-22204_exiftool_echo.jpg", "not-an-image"),
        ("bad/patt/Picture ImageMagick/convert_local_etc_passwd.svg", "unsupported"),
        ("bad/libvips/truncated.svgz", "not-an-image"),
        ("good/libvips/blankpage.pdf", "not-an-image"),
        ("good/libvips/blankpage.svg", "unsupported"),
        ("good/small/ico.ico", "unsupported"),
    ],
)
def test_what_is_no_image_is_refused_by_its_first_bytes(corpus, name, code):
    entered, error = stages(corpus(name))
    assert (entered, error.code) == (["header"], code)


@pytest.mark.parametrize("data", [b"", b"x", b"<html>", b"hello, world\n" * 9, b"PK\x03\x04" + bytes(30), b"%PDF-1.7\n"])
def test_text_and_documents_are_no_images(data):
    assert refusal(DecodeError, data).code == "not-an-image"


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("bad/fuzzdb/malicious-images/lottapixel.jpg", "limit-pixels", "4,128,062,500"),
        ("bad/gdk-pixbuf/issue205.jpg", "limit-pixels", "4,128,062,500"),
        ("bad/gdk-pixbuf/large.png", "limit-pixels", "839,160,000"),
        ("bad/thumbor/16384x16384.png", "limit-pixels", "268,435,456"),
        ("bad/libvips/17000x17000.avif", "limit-pixels", "289,000,000"),
        ("bad/sharp/65536-uint32-limit.png", "limit-side", "65,536"),
        ("bad/sharp/giant-image.jpg", "limit-pixels", "100,000,000"),
        ("bad/jpeg-decoder/max_size.jpg", "unsupported", "65500"),
        ("synthetic/manyscan_306scans_16MP_78KB.jpg", "limit-scans", "306"),
    ],
)
def test_a_bomb_is_refused_from_its_header_with_the_numbers(corpus, name, code, text):
    entered, error = stages(corpus(name))
    assert (entered, error.code) == (["header"], code)
    assert text in error.message


def test_a_large_but_legal_picture_works(corpus):
    output = default(corpus("bad/thumbor/9643x10328.jpg")).outputs[0]
    assert (output.width, output.height) == (1793, 1920)


def test_a_limit_that_was_raised_lets_a_header_pass(corpus):
    recipe = Recipe.from_builtins({"limits": {"max_pixels": 300_000_000}})
    header = read_header(Input(corpus("bad/sharp/giant-image.jpg")), recipe)
    assert header.pixels > 250_000_000


def test_twenty_scans_are_legal(corpus):
    result = default(corpus("bad/corkami/jpg/20scans.jpg"))
    assert (result.header.scans, result.outputs[0].width) == (20, 1488)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with(name, content):
    """Return a small PNG with an additional chunk before its pixels."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    data = file.getvalue()
    return data[:33] + chunk(name, content) + data[33:]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(60_000_000))),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(60_000_000))),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(60_000_000))),
    ],
)
def test_metadata_that_unfold_are_skipped_or_refused(name, content):
    try:
        output = default(png_with(name, content)).outputs[0]
    except ImageError:
        return
    assert (output.width, output.height) == (8, 8)
    assert len(output.data) < 10_000


def test_metadata_beyond_the_limit_are_refused():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0" + bytes(33_000_000))
    error = refusal(LimitError, file.getvalue())
    assert error.code == "limit-metadata"


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9)) * 40, id="texts that unfold"),
        pytest.param(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(40_000_000), 9)), id="one that does"),
        pytest.param(chunk(b"tEXt", b"a\0b") * 330_000, id="a third of a million texts"),
    ],
)
def test_texts_of_a_png_are_limited_together_before_a_library_unpacks_them(texts):
    data = png_with(b"tEXt", b"Comment\0fine")
    entered, error = stages(data[:33] + texts + data[33:])
    assert (entered, error.code) == (["header"], "limit-metadata")


def test_directories_of_a_tiff_are_limited_before_a_library_reads_them():
    size = 2 + 8 * 12 + 4
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, 1) for tag in (256, 257, 258, 259, 262, 273, 277, 278))
    pages = (struct.pack("<H", 8) + entries + struct.pack("<I", 8 + size * (number + 1)) for number in range(100_000))
    entered, error = stages(b"II*\0\x08\0\0\0" + b"".join(pages))
    assert (entered, error.code) == (["header"], "limit-metadata")


CUT_OFF = [
    ("bad/sharp/truncated.jpg", "truncated"),
    ("bad/sharp/truncated.png", "truncated"),
    ("bad/libvips/truncated.jpg", "truncated"),
    ("bad/libvips/truncated.gif", "truncated"),
    ("bad/gdk-pixbuf/premature-end.jpg", "truncated"),
    ("bad/pillow_heif/heif_truncated/truncated.heic", "truncated"),
    ("bad/wuffs/peacock.default.truncated.jpeg", "truncated"),
    ("bad/wuffs/hippopotamus.regular.truncated.png", "truncated"),
    # the end marker is present, but the five bytes before it are missing
    ("bad/thumbor/BlueSquare_truncated.jpg", "decode"),
]


@pytest.mark.parametrize(("name", "code"), CUT_OFF)
def test_a_file_that_is_cut_off_fails(corpus, name, code):
    assert refusal(DecodeError, corpus(name)).code == code


@pytest.mark.parametrize("name", [name for name, _ in CUT_OFF if not name.endswith(".gif")])
def test_what_there_is_of_it_is_taken_where_allowed(corpus, name):
    result = process(Input(corpus(name)), Recipe(allow_truncated=True))
    assert result.outputs[0].width == min(result.header.width, 1920)


def test_a_file_that_is_damaged_inside_fails(corpus):
    assert "Corrupt JPEG data" in refusal(DecodeError, corpus("bad/bimg/corrupt.jpg")).message


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("good/libjpeg-turbo/monkey12.jpg", "12 bits"),
        (TM + "jpeg/src/test/resources/jpeg-lossless/8_ls.jpg", "lossless"),
        (TM + "jpeg/src/test/resources/jpeg-lossless/24_ls.jpg", "lossless"),
    ],
)
def test_kinds_of_jpeg_that_nothing_reads_are_called_by_their_name(corpus, name, word):
    assert word in refusal(UnsupportedError, corpus(name)).message


def test_an_arithmetic_jpeg_shows_the_picture_of_its_twin(measure, corpus):
    got, wanted = (
        measure.pixels(default(corpus(f"good/libjpeg-turbo/{name}.jpg")).outputs[0].data) for name in ("testimgari", "testimgint")
    )
    assert measure.difference(got, wanted)[0] < 1


def test_a_height_that_comes_after_the_pixels_is_unsupported():
    file = io.BytesIO()
    Image.new("RGB", (32, 16), "red").save(file, "JPEG")
    data = bytearray(file.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 7] = b"\0\0"
    assert "DNL" in refusal(UnsupportedError, bytes(data)).message


def test_bytes_around_a_jpeg_do_no_harm(measure):
    file = io.BytesIO()
    Image.new("RGB", (32, 16), "red").save(file, "JPEG")
    data = file.getvalue()
    wanted = measure.pixels(default(data).outputs[0].data)
    for dressed in (b"\r\n  " + data, data + b"rubbish" * 99, data + data):
        assert np.array_equal(measure.pixels(default(dressed).outputs[0].data), wanted)


@pytest.mark.parametrize("container", ["PNG", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("name", ["picture.jpg", "picture", "PICTURE.JPG", "picture.jfif"])
def test_content_counts_and_no_name(tmp_path, container, name):
    path = tmp_path / name
    Image.new("RGB", (20, 10), "red").save(path, container)
    output = process(Input(path=path), Recipe()).outputs[0]
    assert (output.width, output.height, output.format) == (20, 10, "jpeg")


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (1, 65_500)])
def test_no_side_of_an_output_vanishes(size):
    file = io.BytesIO()
    Image.new("L", size).save(file, "PNG")
    output = default(file.getvalue()).outputs[0]
    assert min(output.width, output.height) == 1
    assert max(output.width, output.height) == min(max(size), 1920)


def test_a_very_flat_picture_works(corpus):
    output = default(corpus("good/thumbor/940x2.png")).outputs[0]
    assert (output.width, output.height) == (940, 2)


@pytest.mark.parametrize(("output", "side"), [("webp", 16_383), ("jpeg", 65_500)])
def test_a_picture_at_the_largest_side_of_a_format_is_written_and_one_more_is_not(output, side):
    limits = {"max_side": side + 1}
    for length in (side, side + 1):
        file = io.BytesIO()
        Image.new("L", (length, 1)).save(file, "PNG")
        recipe = {"steps": [], "limits": limits, "renditions": [{"encode": {"format": output}}]}
        if length == side:
            assert process(Input(file.getvalue()), Recipe.from_builtins(recipe)).outputs[0].width == side
        else:
            error = refusal(EncodeError, file.getvalue(), **recipe)
            assert error.code == "too-large"
            assert f"{side:,}" in error.message


def test_the_location_of_a_picture_is_removed_by_default(corpus):
    data = corpus("photos/lepton/iphone.jpg")
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)
    output = default(data).outputs[0].data
    exif = Image.open(io.BytesIO(output)).getexif()
    assert not exif.get_ifd(0x8825)
    assert not re.search(rb"Apple|iPhone|GPS", output)


def test_an_error_of_one_picture_is_not_reported_for_the_next(corpus, tmp_path):
    first = tmp_path / "the-first.avif"
    first.write_bytes(corpus("bad/libvips/17000x17000.avif"))
    for source in (Input(path=first), Input(corpus("bad/fuzzdb/malicious-images/POC_img_phpinfo-CR.gif"))):
        with pytest.raises(ImageError) as refused:
            process(source, Recipe())
    assert "the-first" not in refused.value.message
