"""The jobs of docs/howto.md, typed as they stand in a folder with ordinary inputs, and judged by the files that come out.

Each job of the page has a judge here, by its title. A judge prepares what the sentence above the command assumes, types the
commands (``desk.type``), and looks at the outputs with Pillow.
"""

import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from PIL import Image

from support.checkout import copy_checkout, has_container_engine
from support.documented_jobs import documented_jobs
from support.everyday_desk import CAMERA, COPYRIGHT, GPS, INK, LOGO, PAGE, WIDE, Desk, shell_environment, write_desk
from support.invariants import identities
from support.web_server import Answer, serving

JOBS = documented_jobs()
JUDGES = {}
ALL = {"IMG_0001.jpg", "2026/IMG_0002.jpg", "drafts/IMG_0003.jpg", "logo.jpg"}
FIRST = "IMG_0001.jpg"


def judges(title):
    def register(judge):
        assert title not in JUDGES, title
        JUDGES[title] = judge
        return judge

    return register


def test_every_job_has_a_judge_and_every_judge_a_job():
    assert list(JOBS) == list(JUDGES)
    assert len(JOBS) >= 40
    assert all(job.commands for job in JOBS.values())


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return write_desk(tmp_path_factory.mktemp("desk") / "inputs")


@pytest.fixture
def desk_for(template, tmp_path, clean_environment):
    """Return a function that lays out the inputs for a job."""

    def lay_out(job):
        folder = shutil.copytree(template, tmp_path / "desk", symlinks=True)
        for name, text in job.files.items():
            (folder / name).write_text(text)
        return Desk(folder, job.commands, shell_environment(tmp_path / "bin", {**clean_environment, "TMPDIR": str(tmp_path)}))

    return lay_out


@pytest.mark.parametrize("title", JOBS)
def test_a_job(title, desk_for, request):
    desk = desk_for(JOBS[title])
    if any("s3://" in command for command in desk.blocks):
        desk.environment |= request.getfixturevalue("s3_environment")
    JUDGES[title](desk)


def fits(size, box):
    return size[0] <= box[0] and size[1] <= box[1] and (size[0] == box[0] or size[1] == box[1])


def exif_of(desk, name):
    return desk.open(name).getexif()


# The most common


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


# Size and shape


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


def difference(one, other):
    """Return the mean difference of two pictures of the same size, from 0 to 255."""
    small = [list(picture.convert("RGB").resize((40, 40)).tobytes()) for picture in (one, other)]
    return sum(abs(a - b) for a, b in zip(*small, strict=True)) / len(small[0])


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


# Look


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


@judges("An animated GIF as animated WebP")
def animated(desk):
    desk.type()
    with Image.open(desk.folder / "web" / "waves.webp") as picture:
        assert (picture.format, picture.n_frames) == ("WEBP", 3)


# Metadata


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
    with Image.open(photos / "IMG_0001.jpg") as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8769)[36867] = "2024:05:17 10:11:12"
        picture.save(photos / "IMG_0001.jpg", exif=exif)
    os.utime(photos / "logo.png", (1_000_000_000, 1_000_000_000))
    desk.type()
    assert {"2024/05/IMG_0001.jpg", "2001/09/logo.jpg"} < desk.made("sorted")
    assert len(desk.made("sorted")) == len(ALL)


# Which pictures


@judges("Only the PNGs")
def only_pngs(desk):
    desk.type()
    assert desk.made() == {"logo.jpg"}


@judges("Leave out the folder drafts")
def without_drafts(desk):
    desk.type()
    assert desk.made() == ALL - {"drafts/IMG_0003.jpg"}


@judges("Only the folder 2026")
def only_2026(desk):
    desk.type()
    assert desk.made() == {"2026/IMG_0002.jpg"}


@judges("One picture")
def one_picture(desk):
    desk.type()
    picture = desk.open("thumb.webp")
    assert (picture.format, picture.size) == ("WEBP", (320, 213))


@judges("These pictures")
def these_pictures(desk):
    desk.type()
    assert desk.made() == {"photo.jpg", "other.jpg"}


@judges("Two cards of a camera into one folder")
def two_cards(desk):
    desk.type()
    assert desk.made("album") == {"cardA/DCIM/IMG_0001.jpg", "cardB/DCIM/IMG_0001.jpg"}


@judges("A zip")
def a_zip(desk):
    desk.type()
    assert desk.made() == {"trip/a.jpg", "trip/b.jpg"}


@judges("A list from find")
def from_find(desk):
    Image.new("RGB", (40, 40)).save(desk.folder / "photos" / "tiny.jpg")
    desk.type()
    assert desk.made() == {"photos/IMG_0001.jpg", "photos/drafts/IMG_0003.jpg"}


@judges("A CSV of addresses")
def addresses(desk):
    with serving({"/2026/a.jpg": Answer((desk.folder / "photo.jpg").read_bytes())}) as server:
        (desk.folder / "addresses.csv").write_text(f"label,image_url\nfirst,{server.url}/2026/a.jpg\n")
        desk.type(PIXMILL_ALLOW_PRIVATE_HOSTS="true")
        assert len(server.asked) == 1
    (name,) = desk.made()
    assert name.startswith("127.0.0.1")
    assert name.endswith("/2026/a.jpg")


@judges("A bucket")
def a_bucket(desk):
    desk.environment["XDG_STATE_HOME"] = str(desk.folder / "states")
    desk.run("pixmill run photos s3://photos/2026 --format keep --size keep")
    desk.type()
    desk.run("pixmill run s3://photos/thumbs back --size keep")
    assert desk.made("back") == ALL
    assert desk.size("back/IMG_0001.jpg") == (400, 267)


@judges("Files without an extension")
def without_extension(desk):
    desk.type()
    (name,) = desk.made()
    assert desk.open(f"web/{name}").format == "JPEG"
    assert name == "0a1b2c.jpg"


@judges("Linked files and folders")
def linked(desk):
    desk.type()
    assert desk.made() == {"one.jpg", "year/IMG_0002.jpg"}


# Before a long run


@judges("Try twenty first")
def sample(desk):
    printed = desk.type()
    assert not (desk.folder / "web").exists()
    (scratch,) = [Path(line.split()[1]) for line in printed.splitlines() if line.startswith("outputs")]
    assert {path.suffix for path in scratch.rglob("IMG*")} == {".avif"}


@judges("What would happen?")
def what_would_happen(desk):
    assert "found          4 images" in desk.type()
    assert not (desk.folder / "web").exists()


@judges("The same settings every time")
def settings_file(desk):
    desk.type()
    assert desk.made() == {f"{stem}.{end}" for stem in ("IMG_0001", "2026/IMG_0002", "logo") for end in ("webp", "jpg")}
    assert desk.size("web/IMG_0001.jpg") == (1200, 800)


# During and after


@judges("Go on after Ctrl-C")
def interrupted(desk):
    with desk.started(until=lambda: desk.made() & ALL, code=130, PIXMILL_MAX_RATE="1/s", PIXMILL_GRACE="100ms"):
        pass
    before = identities(desk.folder / "web")
    assert 0 < len(before) < len(ALL)
    desk.type()
    after = identities(desk.folder / "web")
    assert after.keys() == ALL
    assert {name: after[name] for name in before} == before


def a_run_with_a_failure(desk):
    desk.damage("photos/IMG_0001.jpg")
    desk.run("pixmill run photos web --size 800x", code=1)
    assert desk.made() == ALL - {FIRST}


@judges("How far is it?")
def how_far(desk):
    a_run_with_a_failure(desk)
    printed = desk.type()
    assert "done     3 images" in printed
    assert "failed   1 image" in printed


@judges("What failed, and why?")
def what_failed(desk):
    a_run_with_a_failure(desk)
    assert "IMG_0001.jpg: truncated: the JPEG is truncated" in desk.type()


@judges("Try the failures again")
def again(desk):
    whole = (desk.folder / "photos" / FIRST).read_bytes()
    a_run_with_a_failure(desk)
    (desk.folder / "photos" / FIRST).write_bytes(whole)
    desk.type()
    assert desk.size("web/IMG_0001.jpg") == (800, 533)


@judges("Take what is left of damaged pictures")
def take_what_is_left(desk):
    a_run_with_a_failure(desk)
    desk.type()
    assert desk.size("web/IMG_0001.jpg") == (800, 533)


@judges("Is everything still there?")
def still_there(desk):
    desk.run("pixmill run photos web")
    assert "4 images" in desk.type()
    (desk.folder / "web" / FIRST).unlink()
    assert FIRST in desk.type(code=1)


@judges("Mend what is missing or damaged")
def mend(desk):
    desk.run("pixmill run photos web")
    before = (desk.folder / "web" / FIRST).read_bytes()
    (desk.folder / "web" / "logo.jpg").unlink()
    desk.damage("web/IMG_0001.jpg")
    desk.type()
    assert desk.made() == ALL
    assert (desk.folder / "web" / FIRST).read_bytes() == before


@judges("Clean up outputs of deleted pictures")
def clean_up(desk):
    desk.run("pixmill run photos web")
    (desk.folder / "photos" / FIRST).unlink()
    desk.type()
    assert desk.made() == ALL - {FIRST}


@judges("Do everything again")
def everything_again(desk):
    desk.run("pixmill run photos web")
    before = identities(desk.folder / "web")
    desk.type()
    after = identities(desk.folder / "web")
    assert after.keys() == ALL
    assert all(after[name][1] > before[name][1] for name in ALL)


@judges("Replace pictures that another program made")
def replace(desk):
    shutil.copytree(desk.folder / "photos", desk.folder / "web")
    desk.type()
    assert desk.size("web/IMG_0001.jpg") == (1920, 1280)


@judges("Continue in a folder whose records are lost")
def lost_records(desk):
    desk.run("pixmill run photos web")
    shutil.rmtree(desk.folder / "web" / ".pixmill")
    (desk.folder / "web" / FIRST).unlink()
    before = identities(desk.folder / "web")
    desk.type()
    after = identities(desk.folder / "web")
    assert desk.size(f"web/{FIRST}") == (1920, 1280)
    assert {name: after[name] for name in before} == before


@judges("A folder that is watched")
def watched(desk):
    with desk.started(until=lambda: "new.jpg" in desk.made(), code=0):
        shutil.copy(desk.folder / "photo.jpg", desk.folder / "inbox" / "new.jpg")
    assert desk.size("web/new.jpg") == (1920, 1280)


@judges("Empty the inbox as it is processed")
def emptied(desk):
    (desk.folder / "inbox" / "bad.jpg").write_bytes(b"not an image")
    shutil.copy(desk.folder / "photo.jpg", desk.folder / "inbox" / "new.jpg")
    with desk.started(until=lambda: not any((desk.folder / "inbox").glob("*.jpg")), code=0):
        pass
    assert desk.made() == {"new.jpg"}
    assert (desk.folder / "done" / "new.jpg").exists()
    assert (desk.folder / "failed" / "bad.jpg").exists()


@judges("A report to look at")
def report(desk):
    desk.run("pixmill run photos web")
    desk.type()
    page = (desk.folder / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert FIRST in page


@judges("Upload the output without .pixmill")
def upload(desk):
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not installed (Debian: apt install rsync)")
    desk.run("pixmill run photos web")
    desk.type()
    assert desk.made("server") == ALL
    assert not (desk.folder / "server" / ".pixmill").exists()


# Being considerate


@judges("Leave cores for others")
def leave_cores(desk):
    assert "img/s" in desk.type()
    assert desk.made() == ALL


@judges("Not more than N per second")
def not_more_than(desk):
    for number in range(10):
        shutil.copy(desk.folder / "photos" / "logo.png", desk.folder / "photos" / f"{number}.png")
    begun = time.monotonic()
    desk.type()
    assert time.monotonic() - begun > 1.5
    assert len(desk.made()) == 14


@judges("Less memory")
def less_memory(desk):
    desk.type()
    assert desk.made() == ALL


@judges("Stop if too much fails")
def too_much_fails(desk):
    desk.type()
    assert desk.made() == ALL
    for number in range(20):
        (desk.folder / "photos" / f"bad{number:02}.jpg").write_bytes(b"not an image")
    assert "more than --max-failures 5% allows" in desk.type(code=3)


@judges("Every night, with mail only if something failed")
def every_night(desk):
    assert desk.type() == ""
    assert desk.made() == ALL
    (desk.folder / "photos" / "bad.jpg").write_bytes(b"not an image")
    assert desk.type(code=1) == "1 image failed: pixmill failures web\n"


@judges("A log file")
def log_file(desk):
    desk.damage("photos/IMG_0001.jpg")
    desk.type(code=1)
    (line,) = (desk.folder / "failures.log").read_text().splitlines()
    assert "IMG_0001.jpg: truncated" in line


@judges("Metrics as JSON")
def metrics(desk):
    desk.type()
    numbers = json.loads((desk.folder / "metrics.json").read_text())
    assert (numbers["found"], numbers["done"], numbers["failed"]) == (4, 4, 0)


# Elsewhere


@judges("A data set for training")
def data_set(desk):
    desk.type()
    with tarfile.open(desk.folder / "train" / "000000.tar") as shard:
        names = shard.getnames()
        sizes = {Image.open(shard.extractfile(name)).size for name in names if name.endswith(".jpg")}
    assert sum(name.endswith(".jpg") for name in names) == 4
    assert sizes == {(512, 512)}


@judges("On two machines at once")
def two_machines(desk):
    desk.type()
    assert desk.made() == ALL
    assert "2 parts: 2 finished" in desk.run("pixmill status web")


@judges("From Python")
def from_python(desk):
    assert "4 done, 0 failed" in desk.type()
    assert desk.size("web/IMG_0001.webp") == (800, 533)


@judges("With docker compose")
def docker_compose(desk):
    if not has_container_engine():
        pytest.skip("docker info does not answer")
    shutil.rmtree(desk.folder)
    copy_checkout(desk.folder)
    Image.new("RGB", (64, 48), "teal").save(desk.folder / "data" / "input" / "a.png")
    try:
        desk.type()
    finally:
        subprocess.run(("docker", "compose", "down", "--timeout", "1"), cwd=desk.folder, check=True, capture_output=True)
    assert (desk.folder / "data" / "output" / "a.jpg").exists()
