"""The examples of the README work as printed, and their results match the README."""

import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from pixmill.cli.command import commands, request
from pixmill.cli.options.run import config_from

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(pixmill \S.*?)(?:\s{3,}(.*))?$", re.MULTILINE)
#: What needs a network, a cluster, a port that may be taken, or all the time there is.
ELSEWHERE = re.compile(r"\b(?:s3|gs|az|https?)://|--executor|--serve|--metrics-port|pixmill (?:watch|bench)\b")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SCAN = (2912, 4368)
RECIPE = """
[[steps]]
operation = "resize"
width = 64

[[renditions]]
encode = "webp"
"""


def examples():
    """Return each command line of the code blocks, with what is said of it."""
    blocks = [text for language, text in BLOCK.findall(README) if not language]
    return dict(found for text in blocks for found in LINE.findall(text))


def here():
    return [line for line in examples() if not ELSEWHERE.search(line)]


@pytest.fixture
def desk(tmp_path):
    """Return a folder with all that the examples take."""
    photos, scans = tmp_path / "photos", tmp_path / "scans"
    photos.mkdir()
    scans.mkdir()
    for name, size in {"a.jpg": (2000, 1000), "b.jpeg": (1400, 1600)}.items():
        Image.linear_gradient("L").resize(size).convert("RGB").save(photos / name)
    Image.new("I;16", SCAN, 40_000).save(scans / "page.png")
    shutil.copytree(photos, tmp_path / "SRC")
    shutil.copy(photos / "a.jpg", tmp_path / "photo.jpg")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "urls.csv").write_text("path,label\nphotos/a.jpg,one\nphotos/b.jpeg,two\n")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(photos / "a.jpg", "a.jpg")
    return tmp_path


def test_the_readme_has_examples_of_both_kinds():
    assert len(here()) > 10
    assert len(examples()) - len(here()) > 4


@pytest.mark.parametrize("line", examples())
def test_an_example_is_understood(line, tmp_path, monkeypatch):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    name, *words = shlex.split(line)[1:]
    command = commands.get(name)
    asked = request(command, words, {})
    if {"SRC", "DST"} == {argument.name for argument in command.arguments if argument.required}:
        assert config_from(asked).source


def test_the_examples_work_one_after_the_other(desk, pixmill):
    claims = {"--sizes 320,640,1280": as_many_as_it_says, "run scans archive": nothing_is_resized, "urls.csv": two_from_a_list}
    for line in here():
        done = pixmill(*shlex.split(line)[1:], cwd=desk)
        assert done.returncode == 0, (line, done.stderr)
        for mark in [mark for mark in claims if mark in line]:
            claims.pop(mark)(desk / shlex.split(line)[3], examples()[line])
    assert claims == {}


def as_many_as_it_says(out, said):
    number = next(NUMBERS.index(word) for word in said.split() if word in NUMBERS)
    for stem in ("a", "b"):
        assert len(list(out.glob(f"{stem}-*"))) == number
    assert all(len(json.loads(line)["outputs"]) == number for line in (out.parent / "web.jsonl").read_text().splitlines())


def nothing_is_resized(out, said):
    assert said == "change the container, keep the picture"
    with Image.open(out / "page.tif") as picture:
        assert (picture.format, picture.size, picture.mode) == ("TIFF", SCAN, "I;16")


def two_from_a_list(out, said):
    assert "a list of paths and URLs" in said
    assert {path.name for path in out.glob("photos/*")} >= {"a.jpg", "b.jpg"}
