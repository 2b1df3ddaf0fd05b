"""Judges of the most common jobs: thumbnails, conversion, smaller files, only new pictures."""

import shutil

import pytest
from PIL import Image
from tests.cli.everyday.judging import ALL, FIRST, Judges

from support.everyday_desk import CAMERA, GPS, INK, PAGE
from support.invariants import identities

judges = Judges()


def fits(size, box):
    return size[0] <= box[0] and size[1] <= box[1] and (size[0] == box[0] or size[1] == box[1])


@judges("Make thumbnails for a web page")
def thumbnails(desk):
    desk.type()
    assert desk.made("thumbs") == {name.replace(".jpg", ".webp") for name in ALL}
    assert desk.size("thumbs/IMG_0001.webp") == (300, 200)
    assert desk.open("thumbs/2026/IMG_0002.webp").format == "WEBP"


@judges("Shrink the photos of my phone for mail")
def for_mail(desk):
    desk.type()
    assert fits(desk.size("mail/IMG_0004.jpg"), (1600, 1600))
    assert (desk.folder / "mail" / "IMG_0004.jpg").stat().st_size < (desk.folder / "phone" / "IMG_0004.jpg").stat().st_size / 2


@judges("Turn HEIC into JPEG")
def from_heic(desk):
    pytest.importorskip("pillow_heif", reason="writes the HEIC")
    desk.type()
    assert desk.made("jpeg") == {"IMG_0005.jpg"}
    picture = desk.open("jpeg/IMG_0005.jpg")
    assert (picture.format, picture.size) == ("JPEG", (800, 600))
    assert picture.getexif()[CAMERA] == "Kamera"
    assert picture.getexif().get_ifd(GPS)


@judges("Make the files smaller, in the same format and size")
def smaller(desk):
    shutil.copy(desk.folder / "clips" / "waves.gif", desk.folder / "photos")
    desk.type()
    assert desk.made("smaller") == {FIRST, "2026/IMG_0002.JPG", "drafts/IMG_0003.jpg", "logo.png", "waves.gif"}
    with Image.open(desk.folder / "smaller" / "waves.gif") as clip:
        assert clip.n_frames == 3
    for name in desk.made("smaller"):
        before, after = desk.folder / "photos" / name, desk.folder / "smaller" / name
        assert after.stat().st_size <= before.stat().st_size
        assert desk.open(f"smaller/{name}").format == desk.open(f"photos/{name}").format
        assert desk.size(f"smaller/{name}") == desk.size(f"photos/{name}")


@judges("Make the files smaller without losing a pixel")
def smaller_without_loss(desk):
    desk.type()
    assert desk.made("smaller") == {FIRST, "2026/IMG_0002.JPG", "drafts/IMG_0003.jpg", "logo.png"}
    for name in desk.made("smaller"):
        before, after = desk.folder / "photos" / name, desk.folder / "smaller" / name
        assert after.stat().st_size < before.stat().st_size
        with Image.open(before) as one, Image.open(after) as other:
            assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


@judges("Drawings and photographs as WebP, each in the smaller way")
def each_in_the_smaller_way(desk):
    desk.type()
    files = {name: (desk.folder / "web" / name).read_bytes() for name in ("IMG_0001.webp", "logo.webp")}
    assert b"VP8L" not in files["IMG_0001.webp"][:60]
    assert b"VP8L" in files["logo.webp"][:60]


@judges("Only convert, do not resize")
def only_convert(desk):
    desk.type()
    page = desk.open("archive/page.tif")
    assert (page.format, page.size, page.mode) == ("TIFF", PAGE, "I;16")
    assert page.getpixel((700, 900)) == INK


@judges("Only new pictures, every day")
def only_new(desk):
    desk.type()
    before = identities(desk.folder / "web")
    assert before.keys() == ALL
    shutil.copy(desk.folder / "photo.jpg", desk.folder / "photos" / "new.jpg")
    desk.type()
    after = identities(desk.folder / "web")
    assert after.pop("new.jpg")
    assert after == before


@judges("Have a recipe for the web, mail, an archive or icons")
def by_preset(desk):
    desk.type()
    assert len(desk.made("out")) == len(ALL)
    assert {desk.open(f"out/{name}").format for name in desk.made("out")} == {"WEBP"}
