"""Every command line of the documentation is understood, and what the guides let people run is planned on ordinary inputs.

Pages whose commands are also typed have tests of their own: the README, commands, everyday jobs and tutorials.
"""

import re
import shlex

import pytest

from pixmill.cli.command import commands, request
from pixmill.cli.main import main
from pixmill.cli.options.run import config_from
from support.everyday_desk import write_desk
from support.tutorials import REPOSITORY

PAGES = sorted([*(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "docs" / "tutorials").glob("*.md"), REPOSITORY / "README.md"])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?(pixmill \S.*?)(?:\s+#.*|\s{3,}.*)?$", re.MULTILINE)
CELL = re.compile(r"`(pixmill (?:[^`\\]|\\(?!\| ))+?)(?: \\\| [^`]+)?` \|")  # without the program that its output is piped to
PLANNED = ("assistants", "colours", "quality", "resume")
#: what needs another machine, a list, a dataset or the records of a run
ELSEWHERE = re.compile(r"\b(?:s3|gs|az|https?)://|--executor|pixmill (?!run|plan)")


def lines(text):
    """Return the command lines in the blocks for a shell and in the tables of a page."""
    blocks = (block for language, block in BLOCK.findall(text) if language in ("", "console"))
    found = [*(line for block in blocks for line in LINE.findall(block)), *CELL.findall(text)]
    return list(dict.fromkeys(found))


COMMANDS = [(page.stem, line) for page in PAGES for line in lines(page.read_text("utf-8"))]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = write_desk(tmp_path_factory.mktemp("documented") / "desk")
    (folder / "web.toml").write_text('source = "photos"\ndestination = "web"\n')
    return folder


def test_there_are_commands_on_most_pages():
    assert len(COMMANDS) > 250
    assert len({page for page, _ in COMMANDS}) > 20


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_is_understood(page, line, desk, monkeypatch):  # noqa: ARG001  # the page is for the report
    monkeypatch.chdir(desk)
    name, *words = shlex.split(line)[1:]
    if name.startswith("-") or name.isupper() or "--help" in words:
        return
    asked = request(commands.get(name), words, {"INPUT_DIR": "photos", "OUTPUT_DIR": "out"})
    assert asked is not None


@pytest.mark.parametrize(
    ("page", "line"), [(page, line) for page, line in COMMANDS if page in PLANNED and not ELSEWHERE.search(line)]
)
def test_a_command_of_a_guide_can_be_planned(page, line, desk, monkeypatch, capsys):  # noqa: ARG001  # likewise
    monkeypatch.chdir(desk)
    words = [word for word in re.sub(r"--(?:sample|index) \S+", "", line).split() if word]
    assert main(["plan", *shlex.split(" ".join(words[2:]))]) == 0, capsys.readouterr()


def test_every_option_that_an_assistant_is_told_of_is_understood():
    text = (REPOSITORY / "docs" / "assistants.md").read_text("utf-8").partition("## Complete commands")[0]
    options = [cell for row in re.findall(r"^\| [^|]+ \| (.*) \|$", text, re.MULTILINE) for cell in re.findall(r"`(--[^`]+)`", row)]
    assert len(options) > 20
    for option in options:
        asked = request(commands.get("plan"), ["photos", "out", *shlex.split(option)], {})
        assert config_from(asked).source
