"""Images that a filter or a step rejects: no output, no failure, a reason that is counted and listed, and no second attempt."""

import json

import pytest
from PIL import Image

import pixmill as library

FILTERS = ("--min-size", "100x80", "--max-aspect", "4")
SIZES = {"small.png": (90, 200), "flat.png": (1000, 90), "good.png": (400, 300), "square.jpg": (120, 120)}
STEP = """
import pixmill

def bright(image):
    if image.pixels.avg() < 50:
        raise pixmill.Skip("too dark")
    return image
"""


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size, (200, 120, 90)).save(folder / name)
    Image.new("RGB", (300, 300), (9, 9, 9)).save(folder / "dark.png")
    (tmp_path / "steps.py").write_text(STEP)
    return folder


def made(folder):
    return sorted(path.name for path in folder.glob("[!.]*.*"))


def test_they_are_counted_by_reason_listed_and_not_tried_again(pixmill, source, tmp_path):
    words = ("run", source, "out", *FILTERS, "--step", "python:function=steps.py:bright")
    first, again = pixmill(*words), pixmill(*words)
    assert (first.returncode, made(tmp_path / "out")) == (0, ["good.jpg", "square.jpg"])
    for run in (first, again):
        for line in ("max-aspect (flat.png)", "min-size (small.png)", "too dark (dark.png)"):
            assert f"skipped   1 image: rejected: {line}" in run.stderr
    assert "done      0 images" in again.stderr
    listed = pixmill("rejected", "out")
    assert listed.stdout.splitlines() == ["dark.png: too dark", "flat.png: max-aspect", "small.png: min-size"]
    records = [json.loads(line) for line in pixmill("rejected", "out", "--json").stdout.splitlines()]
    assert records[1] == {"path": "flat.png", "reason": "max-aspect"}
    status = json.loads(pixmill("status", "out", "--json").stdout)
    assert (status["done"], status["failed"], status["rejected"]) == (5, 0, {"max-aspect": 1, "min-size": 1, "too dark": 1})
    assert "rejected 3 images of those done (see pixmill rejected out)" in pixmill("status", "out").stdout
    assert "rejected       3 images before" in pixmill("plan", *words[1:]).stdout
    assert pixmill("verify", "out").returncode == 0


def test_another_filter_tries_them_again_and_prune_removes_what_is_no_longer_asked_for(pixmill, source, tmp_path):
    pixmill("run", source, "out")
    assert len(made(tmp_path / "out")) == 5
    pixmill("run", source, "out", *FILTERS)
    assert "flat.jpg" in pixmill("prune", "out").stdout
    pixmill("prune", "out", "--yes")
    assert made(tmp_path / "out") == ["dark.jpg", "good.jpg", "square.jpg"]
    pixmill("run", source, "out", "--min-size", "80x80")
    assert made(tmp_path / "out") == ["dark.jpg", "flat.jpg", "good.jpg", "small.jpg", "square.jpg"]
    assert pixmill("rejected", "out").stderr == "no rejected images\n"


@pytest.mark.parametrize("destination", ["tar://set", "s"])
def test_they_are_in_no_index_dataset_or_report(pixmill, source, destination):
    run = pixmill("run", source, destination, *FILTERS, "--index", "i.jsonl", "--report", "r.html")
    if destination == "s":
        assert run.returncode == 0, run.stderr
        assert "2 images of them were rejected: " in (source.parent / "r.html").read_text()
        lines = (source.parent / "i.jsonl").read_text().splitlines()
    else:
        run = pixmill("run", source, destination, *FILTERS)
        assert run.returncode == 0, run.stderr
        lines = (source.parent / "set" / "_index.jsonl").read_text().splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["dark.png", "good.png", "square.jpg"]


def test_a_turned_picture_is_measured_upright(pixmill, source, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (300, 90)).save(source / "turned.jpg", exif=turned)
    pixmill("run", source, "out", "--min-size", "80x250")
    assert made(tmp_path / "out") == ["dark.jpg", "good.jpg", "turned.jpg"]


NO_SENSE = [(("--min-size", "50%"), "min_size: expected"), (("--max-aspect", "0.5"), "at least 1")]


@pytest.mark.parametrize(("option", "message"), NO_SENSE)
def test_a_filter_that_makes_no_sense_is_refused(pixmill, source, option, message):
    run = pixmill("run", source, "out", *option)
    assert run.returncode == 2
    assert message in run.stderr


def test_in_python_one_image_raises_and_a_run_says_what_became_of_each(source, tmp_path):
    with pytest.raises(library.Skip) as skipped:
        library.process(source / "small.png", {"filters": {"min_size": "100x80"}})
    assert skipped.value.reason == "min-size"
    with library.open_run(source, tmp_path / "out", min_size="100x80") as run:
        outcomes = {each.source: (each.state, each.code) for each in run.results()}
    assert outcomes["small.png"] == ("skipped", "rejected: min-size")
    assert outcomes["good.png"] == ("done", "")


def test_a_reason_for_each_image_does_not_fill_the_summary(pixmill, source, tmp_path):
    (tmp_path / "steps.py").write_text(
        "import pixmill\n\ndef no(image):\n    raise pixmill.Skip(f'{image.width} wide \\x1b' + 'x' * 200)\n"
    )
    run = pixmill("run", source, "out", "--step", "python:function=steps.py:no")
    assert run.returncode == 0
    assert "\x1b" not in run.stderr
    reasons = [json.loads(line)["reason"] for line in pixmill("rejected", "out", "--json").stdout.splitlines()]
    assert {len(reason) for reason in reasons} == {100}
