"""docs/troubleshooting.md names every code of an error once, and each of its commands is understood."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from pixmill.cli.command import commands, request
from pixmill.cli.options.run import config_from
from pixmill.core.errors import error_codes

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "troubleshooting.md").read_text("utf-8")
COMMANDS = list(dict.fromkeys(re.findall(r"^(pixmill \S.*?)(?:\s{3,}.*)?$", TEXT, re.MULTILINE)))


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("troubleshooting", DOCS / "troubleshooting.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == TEXT, "run: python docs/troubleshooting.py"


def test_every_code_of_an_error_is_there():
    assert set(error_codes()) <= set(re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE))


def test_there_are_commands():
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_understood(line):
    name, *words = shlex.split(line)[1:]
    asked = request(commands.get(name), words, {})
    if name in ("run", "plan"):
        assert config_from(asked).source
