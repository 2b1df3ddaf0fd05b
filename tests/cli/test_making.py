"""The outputs are described before they are made: by run, plan and JSON, and wherever the options come from."""

import json
import re

import pytest
from PIL import Image

BOX = "makes     JPEG, quality 85; fit within 1920x1920 (the default box); sRGB, 8 bits; metadata: only credits"
KEPT = "JPEG, quality 85; original size; sRGB, 8 bits; metadata: only credits"


@pytest.fixture
def large(tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    Image.new("L", (2400, 1200), 90).save(folder / "a.png")
    return folder


def test_the_first_line_of_a_run_says_what_is_made_unless_it_is_to_be_quiet(photos, pixmill):
    run = pixmill("run", photos, "out", "--progress", "none")
    assert run.stderr.splitlines()[0] == BOX
    assert run.stdout == ""
    assert pixmill("run", photos, "out", "--quiet", "--force").stderr == ""


def test_plan_report_and_json_say_the_same(photos, pixmill, tmp_path):
    words = (photos, "out", "--size", "50%")
    said = "JPEG, quality 85; scaled to 50 % (--size); sRGB, 8 bits; metadata: only credits"
    assert pixmill("plan", *words).stdout.splitlines()[0] == f"makes          {said}"
    assert json.loads(pixmill("plan", *words, "--json").stdout)["makes"] == [said]
    run = pixmill("run", *words, "--json", "--report", tmp_path / "report.html")
    assert json.loads(run.stdout.splitlines()[-1])["makes"] == [said]
    assert f"<dt>Outputs of each image</dt><dd><ul><li>{said}</li></ul></dd>" in (tmp_path / "report.html").read_text()


def test_several_outputs_have_a_line_each(photos, pixmill):
    lines = pixmill("plan", photos, "out", "--sizes", "32,16", "--formats", "webp,JPG").stdout.splitlines()
    assert lines[:3] == [
        "makes          32: WebP, quality 80 and JPEG, quality 85; fit within 32x (--sizes)",
        "               16: WebP, quality 80 and JPEG, quality 85; fit within 16x (--sizes)",
        "               each: sRGB, 8 bits; metadata: only credits",
    ]


@pytest.mark.parametrize(
    ("words", "variables", "toml"),
    [
        (["--size", "keep"], {}, ""),
        (["--size=original"], {}, ""),
        (["--no-size"], {"PIXMILL_SIZE": "800x600"}, ""),
        ([], {"PIXMILL_SIZE": "none", "PIXMILL_FORMAT": "JPG"}, ""),
        ([], {}, 'size = "keep"\nformat = "jpe"'),
        ([], {}, "size = false\nformats = ['jpg']"),
    ],
)
def test_a_size_is_kept_however_that_is_said(words, variables, toml, large, pixmill, sizes_in):
    (large.parent / "job.toml").write_text(toml)
    run = pixmill("run", large, "out", *words, "--config", "job.toml", env=variables)
    assert run.returncode == 0, run.stderr
    assert KEPT in run.stderr
    assert sizes_in("out") == {"a.jpg": (2400, 1200)}


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--size", "50%"], (1200, 600)),
        (["--step", "resize:percent=90"], (2160, 1080)),
        (["--step", "crop:width=1000,height=1000,left=2000,top=900"], (400, 300)),
        (["--step", "resize:width=3000,enlarge=true"], (3000, 1500)),
        (["--step", "flip"], (1920, 960)),
    ],
)
def test_who_names_a_step_of_geometry_has_said_the_size(words, size, large, pixmill, sizes_in):
    run = pixmill("run", large, "out", "--format", "jpg", *words)
    assert run.returncode == 0, run.stderr
    assert sizes_in("out") == {"a.jpg": size}


@pytest.mark.parametrize("size", ["keep", "50%"])
def test_a_fit_without_a_box_is_refused_in_words(size, large, pixmill, tmp_path):
    run = pixmill("run", large, "out", "--size", size, "--fit", "cover")
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        f"pixmill: fit: requires a box, but the size is {size}",
        "  omit --fit or --size",
    ]
    assert not (tmp_path / "out").exists()


def test_plan_warns_of_a_step_that_will_fail(photos, pixmill, tmp_path):
    planned = pixmill("plan", photos, "out", "--step", "crop:left=64")
    said = "step 1 (crop) will fail on 4 of the 4 images examined: the rectangle at 64,0 is outside the image of 64x48"
    assert f"warning        {said}" in planned.stdout.splitlines()
    assert not (tmp_path / "out").exists()


def test_the_default_box_stands_beside_the_option(pixmill):
    result = " ".join(pixmill("run", "--help").stdout.split())
    assert re.search(
        r"--size SIZE [^-]*\(default: 1920x1920, unless a step resizes, crops, pads or trims\)", result.replace("--no-size", "")
    )


def test_an_extension_is_explained_as_its_format(pixmill):
    assert pixmill("explain", ".JPG").stdout == pixmill("explain", "jpeg").stdout
    assert pixmill("explain", "heic").stdout == pixmill("explain", "heif").stdout
