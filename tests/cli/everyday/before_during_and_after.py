"""Judges of jobs before a long run, and during and after one: trying, settings, failures, repair, watching, reports."""

import shutil
from pathlib import Path

import pytest
from tests.cli.everyday.judging import ALL, FIRST, Judges

from support.invariants import identities

judges = Judges()


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
