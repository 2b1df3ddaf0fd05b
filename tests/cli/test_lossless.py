"""``--lossless`` and presets on the command line."""

import io

import pytest
from PIL import Image, ImageChops


@pytest.fixture
def mixed(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    picture = Image.linear_gradient("L").convert("RGB")
    picture.save(folder / "a.jpg", quality=90)
    picture.save(folder / "b.png", compress_level=0)
    return folder


def same_pixels(one, other):
    first, second = (Image.open(io.BytesIO(path.read_bytes())).convert("RGB") for path in (one, other))
    return ImageChops.difference(first, second).getbbox() is None


def test_every_file_becomes_smaller_in_its_own_format(mixed, pixmill, tmp_path):
    run = pixmill("run", mixed, "out", "--lossless")
    assert run.stderr.splitlines()[0].startswith("makes     the source's format, in fewer bytes; the same pixels, colours")
    for name in ("a.jpg", "b.png"):
        assert (tmp_path / "out" / name).stat().st_size < (mixed / name).stat().st_size
        assert same_pixels(mixed / name, tmp_path / "out" / name)


def test_one_file_is_made_smaller_into_a_file_of_its_format(mixed, pixmill, tmp_path):
    assert pixmill("run", mixed / "a.jpg", "small.jpeg", "--lossless").returncode == 0
    assert same_pixels(mixed / "a.jpg", tmp_path / "small.jpeg")
    refused = pixmill("run", mixed / "a.jpg", "small.png", "--lossless")
    assert "DST small.png has the extension of PNG, but JPEG is to be written" in refused.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "80x60"], "lossless: resize:width=80,height=60 changes pixels\n  omit --size, or allow changes: --no-lossless"),
        (["--sizes", "80,60"], "lossless: resize:width=80 changes pixels"),
        (["--step", "blur"], "lossless: blur changes pixels\n  omit the step"),
        (["--fit", "cover"], "lossless: the fit cover changes pixels"),
        (["--format", "webp"], "lossless: each output has the format of its source, received webp"),
        (["--formats", "webp,jpeg"], "lossless: each output has the format of its source, received webp, jpeg"),
        (["--quality", "80"], "lossless: no quality is lost, received quality 80"),
        (["--animated", "first"], "lossless: all frames are kept"),
    ],
)
def test_what_changes_pixels_is_refused_in_words(mixed, pixmill, words, message):
    assert message in pixmill("plan", mixed, "out", "--lossless", *words).stderr


def test_auto_has_its_word_where_a_value_is_wrong(mixed, pixmill):
    failed = pixmill("plan", mixed, "out", "--format", "webp:lossless=perhaps")
    assert "webp.lossless: expected true or false or auto, received perhaps" in failed.stderr


def test_a_preset_is_part_of_what_is_said(mixed, pixmill, tmp_path):
    said = "preset web: WebP, quality 60, or lossless where that is smaller; fit within 100x (--size)"
    words = (mixed, "out", "--preset", "web", "--size", "100x", "--quality", "60")
    assert said in pixmill("plan", *words).stdout.splitlines()[0]
    assert said in pixmill("run", *words).stderr.splitlines()[0]
    assert Image.open(io.BytesIO((tmp_path / "out" / "a.webp").read_bytes())).width == 100


def test_a_preset_that_loses_nothing_may_be_told_to(mixed, pixmill):
    assert "or allow changes: --no-lossless" in pixmill("plan", mixed, "out", "--preset", "archive", "--size", "80x").stderr
    plan = pixmill("plan", mixed, "out", "--preset", "archive", "--size", "80x", "--no-lossless")
    assert "fit within 80x" in plan.stdout


def test_the_presets_are_explained(pixmill):
    shown = pixmill("explain", "presets").stdout
    assert [line.removesuffix(" (preset)") for line in shown.splitlines() if line.endswith(" (preset)")] == [
        "web", "email", "archive", "icons",
    ]  # fmt: skip
    assert "become" in pixmill("explain", "archive").stdout
