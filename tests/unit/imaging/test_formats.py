"""The first bytes of a file determine its format."""

import io

import pytest
from PIL import Image

from pixmill.core.errors import DecodeError, LimitError, UnsupportedError
from pixmill.imaging.formats import by_extension, extensions, formats, sniff
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import identify


@pytest.mark.parametrize(
    ("container", "name"),
    [("JPEG", "jpeg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp"), ("TIFF", "tiff"), ("BMP", "bmp"), ("AVIF", "avif")],
)
def test_content_tells_the_format(container, name):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, container)
    assert sniff(file.getvalue()).name == name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b"%PDF-1.4", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"push graphic-context\nviewbox 0 0 640 480", "not an image"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"x", "not an image"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(head, kind):
    with pytest.raises(DecodeError, match=kind) as refused:
        identify(Input(head))
    assert refused.value.code == "not-an-image"


@pytest.mark.parametrize("head", [b"gimp xcf", b"v/1\x01", b"DDS ", b"#?RADIANCE"])
def test_images_of_other_kinds_are_unsupported(head):
    with pytest.raises(UnsupportedError, match="which pixmill does not read"):
        identify(Input(head))


@pytest.mark.parametrize("head", [b"<svg>", b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="x">', b"<!DOCTYPE svg PUBLIC>\n<svg >"])
def test_svg_is_read_only_where_it_is_allowed(head):
    with pytest.raises(UnsupportedError) as refused:
        identify(Input(head))
    assert refused.value.options == {"allow": "svg"}
    assert identify(Input(head), ["svg"]).name == "svg"


def test_candidates_have_extensions_of_formats_that_are_read_by_default():
    assert {"jpg", "jpeg", "jfif", "png", "webp", "gif", "tif", "tiff", "bmp", "avif", "heic", "jxl"} <= extensions()
    assert not {"svg", "pdf", ""} & extensions()
    assert extensions(allow=("svg",)) - extensions() == {"svg"}


def test_an_extension_finds_its_format_in_any_case():
    assert by_extension(".JPEG").name == "jpeg"
    assert by_extension("xyz") is None


def test_names_of_formats_are_distinct():
    names = [known.name for known in formats()]
    assert len(names) == len(set(names))


def test_errors_of_limits_are_image_errors():
    assert LimitError.exit_code == 1
