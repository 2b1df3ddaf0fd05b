"""The metadata of outputs, tested on a photograph with a location, serial numbers and maker notes."""

import io

import pytest
from PIL import ExifTags, Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

SERIAL, NOTES, TAKEN = 0xA431, 0x927C, 0x9003
NAMESPACES = (
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://ns.adobe.com/exif/1.0/"'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:p="http://ns.adobe.com/photoshop/1.0/">'
)
FORMATS = ["jpeg", "png", "webp", "avif", "tiff"]


@pytest.fixture
def photograph():
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright] = "(c) Ada"
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif).update({SERIAL: "SN-12345", NOTES: b"secret notes", TAKEN: "2020:01:02 03:04:05"})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (55.0, 43.0, 52.0)})
    described = b'<rdf:Description e:GPSLatitude="55,43N" tiff:Orientation="6" p:Headline="t" p:City="Paris"/>'
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + NAMESPACES + described + b"</rdf:RDF></x:xmpmeta>"
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(file, "JPEG", exif=exif, xmp=xmp)
    return file.getvalue()


def made(data, policy, output):
    recipe = Recipe.from_builtins({"metadata": policy, "renditions": [{"encode": output}]})
    data = process(Input(data), recipe).outputs[0].data
    return data, Image.open(io.BytesIO(data))


@pytest.mark.parametrize("output", FORMATS)
def test_strip_leaves_nothing(photograph, output):
    data, picture = made(photograph, "strip", output)
    exif = picture.getexif()
    assert picture.format == "TIFF" or not exif
    assert not {ExifTags.Base.Copyright, ExifTags.Base.Make, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo} & exif.keys()
    assert not any(word in data for word in (b"Ada", b"SN-12345", b"GPS", b"xmpmeta", b"secret"))


@pytest.mark.parametrize("output", FORMATS)
def test_copyright_leaves_who_made_it_and_nothing_else(photograph, output):
    data, picture = made(photograph, "copyright", output)
    exif = picture.getexif()
    assert (exif[ExifTags.Base.Copyright], exif[ExifTags.Base.Artist]) == ("(c) Ada", "Ada")
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert not any(word in data for word in (b"SN-12345", b"Maker", b"GPSLatitude", b"secret"))
    assert exif.get(ExifTags.Base.Orientation, 1) == 1


@pytest.mark.parametrize("output", FORMATS)
def test_keep_leaves_all_but_the_orientation(photograph, output):
    data, picture = made(photograph, "keep", output)
    exif = picture.getexif()
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[2] == (55.0, 43.0, 52.0)
    assert exif[ExifTags.Base.Copyright] == "(c) Ada"
    assert exif.get_ifd(ExifTags.IFD.Exif)[SERIAL] == "SN-12345"
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert b"tiff:Orientation" not in data
    assert picture.size == (40, 60)


@pytest.mark.parametrize("output", FORMATS)
def test_no_gps_leaves_all_but_the_place_and_what_may_hold_it(photograph, output):
    data, picture = made(photograph, "no-gps", output)
    exif = picture.getexif()
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert exif.get_ifd(ExifTags.IFD.Exif)[TAKEN] == "2020:01:02 03:04:05"
    assert exif[ExifTags.Base.Make] == "Maker"
    assert b"GPSLatitude" not in data
    assert b"secret notes" not in data
    assert b"Paris" not in data
    assert b"p:Headline" in data


def test_comments_that_are_no_text_do_no_harm(photograph):
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415  # only here

    comments = PngInfo()
    comments.add(b"tEXt", b"caf\xe9\0au lait")
    file = io.BytesIO()
    Image.open(io.BytesIO(photograph)).save(file, "PNG", pnginfo=comments)
    assert made(file.getvalue(), "keep", "png")[1].size


def test_a_tiff_takes_its_entries_from_files_of_either_byte_order():
    taken = {}
    for order in ("<", ">"):
        exif = Image.Exif()
        exif.endian = order
        exif[ExifTags.Base.Make] = "Maker"
        exif.get_ifd(ExifTags.IFD.Exif).update({0x829A: 0.008, 0x8827: 400, SERIAL: "SN"})
        file = io.BytesIO()
        Image.new("RGB", (60, 40), "red").save(file, "JPEG", exif=exif)
        _, picture = made(file.getvalue(), "keep", "tiff")
        inner = picture.getexif().get_ifd(ExifTags.IFD.Exif)
        taken[order] = (picture.getexif()[ExifTags.Base.Make], float(inner[0x829A]), inner[0x8827], inner[SERIAL])
        assert picture.size == (60, 40)
        picture.load()
    assert taken["<"] == taken[">"] == ("Maker", 0.008, 400, "SN")
