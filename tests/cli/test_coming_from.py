"""Each pixmill command in the tables of docs/coming-from.md is planned on a folder with ordinary inputs, and a few are judged."""

import json
import re
import shlex

import pytest
from PIL import Image

from pixmill.batch.config.options import options
from pixmill.cli.main import main
from support.everyday_desk import write_desk
from support.tutorials import REPOSITORY

PAGE = (REPOSITORY / "docs" / "coming-from.md").read_text("utf-8")
COMMANDS = list(dict.fromkeys(re.findall(r"\| `(pixmill [^`]+)` \|$", PAGE, re.MULTILINE)))
SECTIONS = ("mogrify", "sharp-cli", "vipsthumbnail", "img2dataset", "caesium", "A Pillow script")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = write_desk(tmp_path_factory.mktemp("coming") / "desk")
    (folder / "urls.csv").write_text("url,caption\nphotos/IMG_0001.jpg,one\nphotos/logo.png,two\n")
    return folder


@pytest.fixture
def plan(desk, monkeypatch, capsys):
    """Return a function that plans what a command would make, and returns the plan."""
    monkeypatch.chdir(desk)

    def plan(line):
        _, _, *words = shlex.split(line)
        code = main(["plan", *words, "--json"])
        said = capsys.readouterr()
        assert code == 0, said.out + said.err
        return json.loads(said.out.splitlines()[-1])

    return plan


def test_every_tool_has_a_table():
    tables = [part.splitlines()[0] for part in PAGE.split("\n## ")[1:] if "| --- | --- |" in part]
    assert tuple(tables) == SECTIONS
    assert len(COMMANDS) > 40


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_plans_what_it_says(line, plan):
    planned = plan(line)
    makes = " ".join(planned["makes"]) if isinstance(planned["makes"], list) else planned["makes"]
    for words, said in {
        "--format webp": "WebP",
        "--format keep": "source",
        "--fit cover": "cropped",
        "--step grayscale": "grayscale",
    }.items():
        assert said in makes or words not in line, makes


def test_the_pillow_script_and_the_command_make_the_same_sizes(desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    assert main(["run", "photos", "compared", "--size", "800x600", "--quiet"]) == 0, capsys.readouterr()
    with Image.open("photos/IMG_0001.jpg") as image, Image.open("compared/IMG_0001.jpg") as made:
        image.thumbnail((800, 600))
        assert made.size == image.size


def test_the_page_about_img2dataset_names_options_that_exist_and_plans_what_it_shows(plan):
    page = (REPOSITORY / "docs" / "coming-from-img2dataset.md").read_text("utf-8")
    ours = [row.split("|")[2] for row in page.splitlines() if row.startswith("|")]
    named = {name.replace("-", "_") for cell in ours for name in re.findall(r"--([a-z][a-z-]+)", cell)}
    assert named - set(options()) - {"metrics_port", "metrics_file", "json", "step"} == set()
    assert {"caption", "split", "shuffle", "min_size", "max_aspect"} <= named
    (line,) = re.findall(r"^pixmill run urls[.]csv .*$", page, re.MULTILINE)
    assert plan(line)["to_do"] == 2
