"""The command lines of the README and docs/commands.md work as printed, and their results match what the pages say of them.

Those of docs/howto.md are in test_everyday_jobs.py.
"""

import json
import re
import shlex
from pathlib import Path

import pytest

from pixmill.cli.command import commands, request
from pixmill.cli.options.run import config_from
from support.everyday_desk import PAGE, Desk, shell_environment, write_desk

REPOSITORY = Path(__file__).parents[2]
PAGES = ("README.md", "docs/commands.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(pixmill \S.*?)(?:\s{3,}(.*))?$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
#: What needs a network, a cluster, a port that may be taken, or all the time there is.
ELSEWHERE = re.compile(r"\b(?:s3|gs|az|https?)://|--executor|--serve|--metrics-port|pixmill (?:watch|bench)\b")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
RECIPE = """
[[steps]]
operation = "resize"
width = 64

[[renditions]]
encode = "webp"
"""


def examples(page):
    """Return each command line of the code blocks of a page, with what is said of it."""
    blocks = [text for language, text in BLOCK.findall((REPOSITORY / page).read_text("utf-8")) if not language]
    return dict(found for text in blocks for found in LINE.findall(text))


def here(page):
    return [line for line in examples(page) if not ELSEWHERE.search(line)]


def all_pages():
    return ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))]


def anchors(path):
    """Return the fragments that lead to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def desk(tmp_path, clean_environment):
    """Return a folder with all that the examples take."""
    folder = write_desk(tmp_path / "desk")
    (folder / "SRC").symlink_to("photos")
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "urls.csv").write_text("path,label\nphotos/IMG_0001.jpg,one\nphotos/logo.png,two\n")
    return Desk(folder, (), shell_environment(tmp_path / "bin", {**clean_environment, "TMPDIR": str(tmp_path)}))


def test_the_pages_have_examples_of_both_kinds():
    assert len(here("README.md")) >= 6
    assert len(here("docs/commands.md")) > 15
    assert len(examples("docs/commands.md")) - len(here("docs/commands.md")) >= 5


def test_the_readme_fits_on_a_screen_or_two():
    assert len((REPOSITORY / "README.md").read_text("utf-8").splitlines()) < 85


@pytest.mark.parametrize(("page", "line"), [(page, line) for page in PAGES for line in examples(page)])
def test_an_example_is_understood(page, line, tmp_path, monkeypatch):  # noqa: ARG001  # the page is for the report
    (tmp_path / "recipe.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    name, *words = shlex.split(line)[1:]
    command = commands.get(name)
    asked = request(command, words, {})
    if {"SRC", "DST"} == {argument.name for argument in command.arguments if argument.required}:
        assert config_from(asked).source


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_work_one_after_the_other(page, desk):
    claims = {
        "--sizes 320,640,1280": as_many_as_it_says,
        "run scans archive": nothing_is_resized,
        "urls.csv": two_from_a_list,
        "--size 300x300": square_thumbnails,
    }
    judged = set()
    for line in here(page):
        desk.run(line)
        for mark in [mark for mark in claims if mark in line]:
            claims[mark](desk, shlex.split(line)[3], examples(page)[line])
            judged.add(mark)
    assert len(judged) >= 2


def as_many_as_it_says(desk, out, said):
    number = next(NUMBERS.index(word) for word in said.split() if word in NUMBERS)
    for stem in ("IMG_0001", "logo"):
        assert len([name for name in desk.made(out) if name.startswith(f"{stem}-")]) == number
    lines = (desk.folder / "web.jsonl").read_text().splitlines()
    assert all(len(json.loads(line)["outputs"]) == number for line in lines)


def nothing_is_resized(desk, out, said):
    assert said == "change the container, keep the picture"
    page = desk.open(f"{out}/page.tif")
    assert (page.format, page.size, page.mode) == ("TIFF", PAGE, "I;16")


def two_from_a_list(desk, out, said):
    assert "a list of paths and URLs" in said
    assert desk.made(out) >= {"photos/IMG_0001.jpg", "photos/logo.jpg"}


def square_thumbnails(desk, out, said):
    assert said == "square thumbnails"
    assert {desk.size(f"{out}/{name}") for name in desk.made(out)} == {(300, 300)}


@pytest.mark.parametrize("page", all_pages())
def test_every_link_leads_somewhere(page):
    path = REPOSITORY / page
    for target, fragment in LINK.findall(path.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            leads_to = (path.parent / target) if target else path
            assert leads_to.exists(), target
            assert not fragment or fragment in anchors(leads_to), f"{target}#{fragment}"
