"""Every file is called by what it is, from its first bytes alone."""

import gzip
import io
import os
import struct
import zipfile

import pytest
from PIL import Image

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.imaging.formats import formats, kind_by_extension, kind_of, sniff
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import identify

NOISE = b"\x9c\x1f\xe7\x03" * 64


def by_pillow(container, mode="RGB"):
    """Return a small file that Pillow writes."""
    file = io.BytesIO()
    Image.new(mode, (16, 16)).save(file, container)
    return file.getvalue()


def zipped(*names):
    """Return a ZIP archive; an entry ``mimetype=...`` has that content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            path, _, content = name.partition("=")
            archive.writestr(zipfile.ZipInfo(path), content)
    return file.getvalue()


def with_brand(brand):
    """Return the first box of an ISO file and the head of another."""
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, b"isom") + struct.pack(">I4s", 64, b"moov") + NOISE


@pytest.mark.parametrize("container", ["JPEG2000", "ICO", "PPM", "TGA", "PCX", "SGI", "DDS", "EPS", "PDF", "XBM", "ICNS"])
def test_what_pillow_writes_has_a_name(container):
    kind = kind_of(by_pillow(container, "1" if container == "XBM" else "RGB"))
    assert kind.name == {"JPEG2000": "JPEG 2000", "PPM": "PNM"}.get(container, container)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI" + NOISE, "CgBI PNG"),
        (b"8BPS\0\1" + NOISE, "PSD"),
        (b"8BPS\0\2" + NOISE, "PSD"),
        (b"\xff\xd8\xff\xf7\0\x0b" + NOISE, "JPEG-LS"),
        (b"\xff\x4f\xff\x51" + NOISE, "JPEG 2000"),
        (b"II\xbc\x01" + NOISE, "JPEG XR"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (b"II*\0\x10\0\0\0CR\2\0" + NOISE, "CR2"),
        (b"IIU\0\x18\0\0\0" + NOISE, "RW2"),
        (b"IIRO\x08\0\0\0" + NOISE, "ORF"),
        (b"FUJIFILMCCD-RAW 0201" + NOISE, "RAF"),
        (with_brand(b"crx "), "CR3"),
        (zipped("mimetype=application/x-krita"), "Krita"),
        (zipped("mimetype=image/openraster"), "OpenRaster"),
        (gzip.compress(b'<svg xmlns="http://www.w3.org/2000/svg"/>', mtime=0), "SVGZ"),
        (b"gimp xcf file\0" + NOISE, "XCF"),
        (b"SIMPLE  =                    T", "FITS"),
        (bytes(128) + b"DICM" + NOISE, "DICOM"),
    ],
)  # fmt: skip
def test_images_without_a_codec_are_unsupported_by_their_name(head, name):
    assert kind_of(head).name == name
    with pytest.raises(UnsupportedError) as refused:
        identify(Input(head))
    assert name in refused.value.message or name == "SVGZ"
    assert refused.value.evidence == {"kind": name}


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"\xef\xbb\xbf%PDF-1.4", "PDF"),
        (with_brand(b"isom"), "MP4 video"),
        (with_brand(b"qt  "), "QuickTime video"),
        (with_brand(b"3gp4"), "3GP video"),
        (with_brand(b"M4A "), "audio"),
        (struct.pack(">I4s", 8, b"wide") + struct.pack(">I4s", 99, b"mdat") + NOISE, "QuickTime video"),
        (b"\x1aE\xdf\xa3" + NOISE, "Matroska or WebM"),
        (b"RIFF\x10\0\0\0AVI LIST", "AVI"),
        (b"OggS\0\2" + NOISE, "Ogg"),
        (b"ID3\x03\0\0" + by_pillow("JPEG"), "audio"),
        (b"\0\0\1\xba\x44" + NOISE, "MPEG"),
        (zipped("[Content_Types].xml", "word/document.xml"), "Office document"),
        (zipped("mimetype=application/vnd.oasis.opendocument.text"), "OpenDocument"),
        (zipped("a.txt"), "ZIP archive"),
        (b"Rar!\x1a\x07\0", "RAR archive"),
        (gzip.compress(b"text", mtime=0), "gzip archive"),
        (b"<?xml version='1.0'?>\n<!-- saved -->\n<HTML>", "web page"),
        (b"<?xml version='1.0'?><!DOCTYPE plist PUBLIC ''><plist>", "property list"),
        (b"<?xpacket begin=''?><x:xmpmeta>", "XMP sidecar"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "Git LFS pointer"),
        (b"\0\5\x16\7\0\2\0\0" + NOISE, "AppleDouble"),
        (b"MZ\x90\0" + NOISE, "program"),
        (bytes(4096), "zeros"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(head, word):
    with pytest.raises(DecodeError, match=word) as refused:
        identify(Input(head))
    assert refused.value.code == "not-an-image"


@pytest.mark.parametrize("container", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_images_that_are_read_are_not_taken_for_others(container):
    data = by_pillow(container)
    assert kind_of(data[:4096]).format.name == container.lower()
    assert sniff(data[:4096]) is kind_of(data[:4096]).format


def test_blanks_before_a_jpeg_do_not_hide_it():
    assert sniff(b"\r\n \0" + by_pillow("JPEG")).name == "jpeg"
    assert sniff(b"hello" + by_pillow("JPEG")) is None  # which may be anything that contains a picture


def test_random_bytes_are_nothing():
    known = [kind_of(bytes([0x91]) + os.urandom(511)) for _ in range(2000)]
    assert not any(kind and kind.is_image for kind in known)


def test_an_opt_in_format_comes_first_where_it_is_allowed_and_else_last():
    assert kind_of(b"<svg>").format.opt_in
    assert kind_of(b"<svg>", ["svg"]) == kind_of(b"<svg>")


def test_extensions_name_the_kinds_of_files_that_are_not_opened():
    assert [kind_by_extension(text).name for text in (".JP2", "psd", "nef", "CR3", ".dng")] == [
        "JPEG 2000",
        "PSD",
        "NEF",
        "CR3",
        "DNG",
    ]
    assert kind_by_extension("txt") is None
    assert all(kind_by_extension(each.extension).format is each for each in formats() if each.extension)
