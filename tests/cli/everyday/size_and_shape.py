"""Judges of jobs about size and shape: widths, squares, crops, several sizes and formats."""

import json
import re
from base64 import b64decode

import pytest
from PIL import Image
from tests.cli.everyday.judging import ALL, FIRST, Judges, difference

from support import score_oracle
from support.everyday_desk import LOGO, WIDE

judges = Judges()


@judges("Half the size")
def half(desk):
    desk.type()
    assert desk.size("half/IMG_0001.jpg") == (WIDE[0] // 2, WIDE[1] // 2)
    assert desk.size("half/logo.jpg") == (LOGO[0] // 2, LOGO[1] // 2)


@judges("The same width for all")
def same_width(desk):
    desk.type()
    assert {desk.size(f"web/{name}")[0] for name in desk.made()} == {800}
    assert desk.size("web/2026/IMG_0002.jpg") == (800, 1200)


@judges("Square pictures without distortion")
def square(desk):
    desk.type()
    assert {desk.size(f"square/{name}") for name in desk.made("square")} == {(600, 600)}
    shrunk = desk.open("photos/IMG_0001.jpg").resize((900, 600)).crop((150, 0, 750, 600))
    assert difference(shrunk, desk.open("square/IMG_0001.jpg")) < 3


@judges("Square pictures around the main thing")
def square_around(desk):
    main = Image.new("RGB", (1800, 600), "gray")
    main.paste("red", (1500, 200, 1700, 400))
    main.save(desk.folder / "photos" / "main.png")
    desk.type()
    red, green, _ = desk.open("square/main.jpg").resize((6, 6), Image.Resampling.BOX).convert("RGB").split()
    assert desk.size("square/main.jpg") == (600, 600)
    assert max(red.tobytes()) > 200
    assert min(green.tobytes()) < 60


@judges("Square pictures with nothing cut off")
def square_whole(desk):
    desk.type()
    picture = desk.open("square/IMG_0001.jpg")
    assert picture.size == (600, 600)
    assert {picture.getpixel((300, y)) for y in (2, 597)} == {(255, 255, 255)}
    assert difference(picture.crop((0, 100, 600, 500)), desk.open("photos/IMG_0001.jpg")) < 4


@judges("Wide pictures, 16:9")
def wide(desk):
    desk.type()
    assert desk.size("wide/IMG_0001.jpg") == desk.size("wide/2026/IMG_0002.jpg") == (1280, 720)


@judges("Cut out a part")
def part(desk):
    desk.type()
    assert desk.size("part/IMG_0001.jpg") == (1000, 800)
    assert difference(desk.open("photos/IMG_0001.jpg").crop((100, 50, 1100, 850)), desk.open("part/IMG_0001.jpg")) < 3


@judges("Enlarge small pictures")
def enlarge(desk):
    desk.type()
    assert desk.size("large/logo.jpg") == (3000, 3000)
    assert desk.size("large/IMG_0001.jpg") == (3000, 2000)


@judges("Several sizes for srcset")
def srcset(desk):
    desk.type()
    assert {name for name in desk.made() if name.startswith("IMG_0001")} == {f"IMG_0001-{width}.webp" for width in (320, 640, 1280)}
    assert desk.size("web/IMG_0001-640.webp")[0] == 640
    lines = [json.loads(line) for line in (desk.folder / "web.jsonl").read_text().splitlines()]
    assert len(lines) == len(ALL)
    for output in (output for line in lines for output in line["outputs"]):
        assert desk.size(f"web/{output['path']}") == (output["width"], output["height"])


@judges("Placeholders for a web page, and pictures that look alike")
def placeholders(desk):
    desk.type()
    lines = [json.loads(line) for line in (desk.folder / "web.jsonl").read_text().splitlines()]
    assert len(lines) == len(ALL)
    for (output,) in (line["outputs"] for line in lines):
        assert re.fullmatch("#[0-9a-f]{6}", output["dominant_color"])
        assert re.fullmatch("[0-9a-f]{16}", output["dhash"])
        assert len(b64decode(output["thumbhash"])) > 15
    assert "captured_at" in lines[0]


@judges("No file above 200 kB")
def no_large_file(desk):
    photos = [desk.folder / "photos" / name for name in ("IMG_0001.jpg", "drafts/IMG_0003.jpg")]
    for path in photos:
        picture = Image.open(path).convert("RGB")
        Image.blend(picture, Image.effect_noise(picture.size, 90).convert("RGB"), 0.3).save(path, quality=95)
    desk.type()
    sizes = {name: (desk.folder / "mail" / name).stat().st_size for name in desk.made("mail")}
    assert max(sizes.values()) <= 200_000
    assert min(sizes[str(path.relative_to(desk.folder / "photos"))] for path in photos) > 170_000


@judges("As small as possible while it looks good")
def small_and_good(desk):
    oracle = score_oracle.oracle()
    desk.type()
    desk.run("pixmill run photos exact --format png")
    assert oracle(desk.open(f"exact/{FIRST[:-3]}png"), desk.open(f"web/{FIRST}")) == pytest.approx(80, abs=1)


@judges("WebP and AVIF beside JPEG")
def three_formats(desk):
    desk.type()
    assert len(desk.made()) == 3 * len(ALL)
    formats = {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG"}
    assert {name: desk.open(f"web/logo.{name}").format for name in formats} == formats


@judges("One folder for each size")
def folder_for_each_size(desk):
    desk.type()
    assert desk.made() == {f"{width}/{name}" for name in ALL for width in (320, 1280)}
    assert desk.size("web/320/IMG_0001.jpg")[0] == 320
