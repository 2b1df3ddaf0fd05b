"""Ownership of outputs: pixmill always replaces its own outputs, but never a source or a link."""

import json
import os

import pytest
from PIL import Image


@pytest.fixture
def gallery(tmp_path):
    """A destination with a foreign file under the output name of the first image."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "p0.jpg").write_bytes(b"mine")
    return folder


pytestmark = pytest.mark.usefixtures("photos")


def write_picture(path, *, shade=120):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), (shade, 90, 60)).save(path)


def counts(ended):
    last = json.loads(ended.stdout.splitlines()[-1])
    return {name: last["counts"][name] for name in ("done", "skipped", "failed", "pending")}


def run(pixmill, *words, **more):
    return pixmill("run", "photos", "out", "--json", "--executor", "inline", *words, **more)


@pytest.mark.parametrize("words", [("retry", "out"), ("run", "photos", "out")], ids=["retry", "run"])
def test_once_the_file_is_moved_away_the_image_is_made(pixmill, gallery, words):
    run(pixmill)
    (gallery / "p0.jpg").rename(gallery / "mine.jpg")
    assert pixmill(*words).returncode == 0
    assert (gallery / "p0.jpg").stat().st_size > 100
    assert (gallery / "mine.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize("words", [("--quality", "40"), ("--force",), ("--size", "20x20"), ("--sizes", "10,20")], ids=" ".join)
def test_what_pixmill_wrote_is_replaced_without_asking(pixmill, photos, words):
    run(pixmill)
    write_picture(photos / "p1.jpg", shade=250)
    ended = run(pixmill, *words)
    assert (ended.returncode, counts(ended)["done"]) == (0, 4)


def test_what_pixmill_wrote_stays_its_own_whatever_was_asked_for_meanwhile(pixmill, photos, tmp_path):
    run(pixmill)
    run(pixmill, "--format", "webp")
    (photos / "p1.jpg").rename(tmp_path / "p1.jpg")
    (photos / "p1.jpg").write_bytes(b"damaged")
    assert run(pixmill, "--format", "webp", "--quality", "33").returncode == 1
    (tmp_path / "p1.jpg").rename(photos / "p1.jpg")
    ended = run(pixmill, "--quality", "60")
    assert (ended.returncode, counts(ended)["done"]) == (0, 4)


def test_a_hard_link_to_the_source_is_not_replaced_even_when_asked(pixmill, photos, tmp_path):
    (tmp_path / "out").mkdir()
    os.link(photos / "p0.jpg", tmp_path / "out" / "p0.jpg")
    before = (photos / "p0.jpg").stat().st_ino
    ended = run(pixmill, "--existing", "replace")
    assert (ended.returncode, counts(ended)["failed"]) == (1, 1)
    assert (tmp_path / "out" / "p0.jpg").stat().st_ino == before


def test_a_link_in_the_destination_is_said_and_not_followed_unless_asked(pixmill, photos, tmp_path):
    write_picture(photos / "sub" / "a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "disk").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "disk")
    assert "symbolic link sub" in pixmill("plan", "photos", "out").stdout
    ended = run(pixmill)
    assert (ended.returncode, counts(ended)["failed"]) == (1, 1)
    assert "symbolic link sub" in ended.stderr
    assert list((tmp_path / "disk").iterdir()) == []
    ended = run(pixmill, "--follow-output-links")
    assert (ended.returncode, counts(ended)["done"]) == (0, 1)
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["a.jpg"]


def test_a_format_that_is_also_the_source_s_own_gives_two_outputs(pixmill, tmp_path):
    assert run(pixmill, "--formats", "jpeg,keep").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("p0*")) == ["p0.jpg", "p0~2.jpg"]


def test_a_later_picture_takes_no_name_from_an_earlier_one(pixmill, photos, tmp_path):
    (photos / "p0.jpg").rename(photos / "p0.png")
    assert run(pixmill).returncode == 0  # p0.png has become p0.jpg
    write_picture(photos / "p0.jpg", shade=3)
    ended = run(pixmill)
    assert (ended.returncode, counts(ended)) == (0, {"done": 1, "skipped": 4, "failed": 0, "pending": 0})
    assert sorted(path.name for path in (tmp_path / "out").glob("p0*")) == ["p0.jpg", "p0.jpg.jpg"]
    (photos / "p0.jpg").unlink()
    ended = run(pixmill)
    assert (ended.returncode, counts(ended)) == (0, {"done": 0, "skipped": 4, "failed": 0, "pending": 0})


def test_two_outputs_in_the_source_do_not_feed_each_other(pixmill, photos):
    for _ in range(3):
        for name in ("small", "large"):
            ended = pixmill("run", photos, photos / name, "--json")
            assert ended.returncode == 0
            assert json.loads(ended.stdout.splitlines()[-1])["counts"]["found"] == 4
    assert json.loads(ended.stdout.splitlines()[-1])["ignored"] == {"output": 2}
    assert len(list(photos.rglob("*.jpg"))) == 12
    chained = pixmill("run", photos / "small", photos.parent / "again", "--json")  # an output itself is a source like any other
    assert json.loads(chained.stdout.splitlines()[-1])["counts"]["found"] == 4


def test_a_retry_forgets_no_failure_when_the_source_is_empty(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no image")
    assert run(pixmill).returncode == 1
    photos.rename(tmp_path / "away")
    photos.mkdir()
    assert pixmill("retry", "out").returncode == 2
    assert "bad.jpg" in pixmill("failures", "out").stdout
