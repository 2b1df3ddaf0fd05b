"""Judges of jobs about the look of pictures and about their metadata."""

import io
import os

from PIL import Image
from tests.cli.everyday.judging import ALL, FIRST, Judges, difference

from support.everyday_desk import CAMERA, COPYRIGHT, GPS, PAGE
from support.gain_map_files import likeness, ultra_hdr

judges = Judges()


# Look


@judges("Keep the brightness of HDR photographs")
def gain_map(desk):
    (desk.folder / "photos" / FIRST).write_bytes(ultra_hdr())
    desk.type()
    assert desk.made() == ALL
    data = (desk.folder / "web" / FIRST).read_bytes()
    second = data[data.rindex(b"\xff\xd8\xff") :]
    assert f'Item:Length="{len(second)}"'.encode() in data
    assert likeness(*(Image.open(io.BytesIO(each)) for each in (data, second))) > 0.99


@judges("Black and white")
def black_and_white(desk):
    desk.type()
    assert {desk.open(f"gray/{name}").mode for name in desk.made("gray")} == {"L"}


@judges("Sharper, brighter, more contrast")
def better(desk):
    desk.type()
    assert desk.made("better") == ALL
    before, after = (desk.open(f"{folder}/IMG_0001.jpg").convert("L").resize((1, 1)) for folder in ("photos", "better"))
    assert after.getpixel((0, 0)) > before.getpixel((0, 0))


@judges("A watermark")
def watermark(desk):
    desk.type()
    marked, source = desk.open("marked/IMG_0001.jpg"), desk.open("photos/IMG_0001.jpg").resize((1920, 1280))
    middle_of_logo = (1920 - 20 - 200, 1280 - 20 - 50)
    red, plain = marked.getpixel(middle_of_logo), source.getpixel(middle_of_logo)
    expected = [(a + b) / 2 for a, b in zip(plain, (200, 30, 30), strict=True)]
    assert all(abs(a - b) < 12 for a, b in zip(red, expected, strict=True))
    assert difference(marked.crop((0, 0, 900, 600)), source.crop((0, 0, 900, 600))) < 3


@judges("Turn by 90 degrees")
def turned(desk):
    desk.type()
    assert desk.size("turned/2026/IMG_0002.jpg") == (1920, 1280)
    upright = desk.open("photos/2026/IMG_0002.JPG").transpose(Image.Transpose.ROTATE_270).resize((1920, 1280))
    assert difference(upright, desk.open("turned/2026/IMG_0002.jpg")) < 3


@judges("A white frame")
def frame(desk):
    desk.type()
    picture = desk.open("framed/IMG_0001.jpg")
    assert picture.size == (840, 573)
    assert all(min(picture.getpixel(corner)) > 250 for corner in ((5, 5), (835, 5), (5, 568), (835, 568)))


@judges("Cut off the empty edges of scans")
def trimmed(desk):
    desk.type()
    assert desk.size("trimmed/page.jpg") == (PAGE[0] - 200, PAGE[1] - 200)


@judges("Another colour behind transparent pictures")
def another_background(desk):
    desk.type()
    assert max(desk.open("black/logo.jpg").getpixel((5, 5))) < 5


@judges("Drawings and screenshots as WebP, without loss")
def lossless(desk):
    desk.type()
    assert desk.made("drawings") == {"logo.webp"}
    before, after = desk.open("photos/logo.png"), desk.open("drawings/logo.webp").convert("RGBA")
    assert after.getchannel("A").tobytes() == before.getchannel("A").tobytes()
    assert after.crop((300, 300, 900, 900)).tobytes() == before.crop((300, 300, 900, 900)).tobytes()


@judges("An icon for a web site")
def icon(desk):
    desk.type()
    icon = desk.open("favicon.ico")
    assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48), (256, 256)}
    assert icon.convert("RGBA").getpixel((128, 128)) == (200, 30, 30, 255)
    assert icon.convert("RGBA").getpixel((128, 10))[3] == 0


@judges("An animated GIF as animated WebP")
def animated(desk):
    desk.type()
    with Image.open(desk.folder / "web" / "waves.webp") as picture:
        assert (picture.format, picture.n_frames) == ("WEBP", 3)


# Metadata


def exif_of(desk, name):
    return desk.open(name).getexif()


@judges("Remove the GPS position")
def no_gps(desk):
    desk.type()
    exif = exif_of(desk, "web/IMG_0001.jpg")
    assert exif[CAMERA] == "Kamera"
    assert not exif.get_ifd(GPS)


@judges("Keep all metadata")
def all_metadata(desk):
    desk.type()
    exif = exif_of(desk, "web/IMG_0001.jpg")
    assert (exif[CAMERA], exif[COPYRIGHT], bool(exif.get_ifd(GPS))) == ("Kamera", "Jo Doe", True)


@judges("State who made the pictures, or their resolution")
def stated(desk):
    desk.type()
    exif = exif_of(desk, "web/IMG_0001.jpg")
    assert (exif[0x8298].startswith("(c) "), exif[0x8298].endswith(" Jane Doe"), 0x013B in exif) == (True, True, True)
    with Image.open(desk.folder / "web" / FIRST) as picture:
        assert picture.info["dpi"] == (300, 300)


@judges("Write who made a picture, and when, into it")
def written(desk):
    desk.type()
    with Image.open(desk.folder / "web" / FIRST) as picture:
        assert min(picture.getpixel((2, 2))) > 245
        corner = picture.convert("L").crop((picture.width // 2, picture.height - 80, picture.width - 10, picture.height - 10))
        assert corner.getextrema()[1] > 150


@judges("Remove all metadata")
def no_metadata(desk):
    desk.type()
    assert not exif_of(desk, "web/IMG_0001.jpg")


@judges("Keep the dates of the files")
def dates(desk):
    os.utime(desk.folder / "photos" / FIRST, (1_500_000_000, 1_500_000_000))
    desk.type()
    assert (desk.folder / "web" / FIRST).stat().st_mtime == 1_500_000_000


@judges("Sort pictures by when they were taken")
def sorted_by_date(desk):
    photos = desk.folder / "photos"
    with Image.open(photos / FIRST) as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8769)[36867] = "2024:05:17 10:11:12"
        picture.save(photos / FIRST, exif=exif)
    os.utime(photos / "logo.png", (1_000_000_000, 1_000_000_000))
    desk.type()
    assert {"2024/05/IMG_0001.jpg", "2001/09/logo.jpg"} < desk.made("sorted")
    assert len(desk.made("sorted")) == len(ALL)
