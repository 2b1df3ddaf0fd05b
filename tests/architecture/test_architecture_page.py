"""docs/architecture.md says what is there: its drawing is current, its paths exist, its walks are counted right."""

import importlib.util
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "architecture.md"
TEXT = PAGE.read_text()
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?!\.)[a-z_]\w*(?:/[a-z_]\w*)*(?:/|\.(?:py|md|sql|toml))|[a-z_]\w*(?:/[a-z_]\w*)+")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
WALK = re.compile(r"^### (?P<title>[^\n]+): (?P<count>\d+) files$(?P<text>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
FLOW = re.compile(r"## Data flow\n\n```\n(.*?)```", re.DOTALL)


def drawer():
    spec = importlib.util.spec_from_file_location("architecture", REPOSITORY / "docs" / "architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named_paths(text):
    return [code for code in CODE.findall(text) if PATH.fullmatch(code)]


def exists(path):
    return any((folder / path).exists() for folder in (REPOSITORY / "src" / "pixmill", REPOSITORY))


def paths_of_the_flow():
    """Yield the paths in the last column of the data flow: one without a slash is beside the one before it."""
    for line in FLOW.search(TEXT)[1].splitlines():
        folder = None
        for path in re.split(r",\s+", re.split(r"\s{2,}", line.strip())[-1]) if "/" in line else []:
            yield path if "/" in path else f"{folder}/{path}"
            folder = path.rpartition("/")[0] or folder


def test_the_drawing_is_current():
    assert drawer().page() == TEXT, "run: python docs/architecture.py"


def test_every_path_that_the_page_names_exists():
    named = [*named_paths(TEXT), *paths_of_the_flow()]
    assert len(named) > 150
    assert [path for path in named if not exists(path)] == []


def test_every_link_leads_somewhere():
    assert [link for link in LINK.findall(TEXT) if not (PAGE.parent / link).exists()] == []


def test_the_page_has_twenty_questions_and_four_walks():
    questions = TEXT.partition("## Where do I change ...")[2].partition("\n## ")[0]
    assert len(re.findall(r"\? \|", questions)) == 20
    assert len(WALKS) == 4


WALKS = {walk["title"]: (int(walk["count"]), named_paths(walk["text"])) for walk in WALK.finditer(TEXT)}


@pytest.mark.parametrize("title", WALKS)
def test_a_walk_opens_each_file_once_and_as_many_as_it_says(title):
    count, opened = WALKS[title]
    assert len(opened) == count
    assert len(set(opened)) == count
