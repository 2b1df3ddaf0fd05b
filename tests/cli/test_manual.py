"""The manual pages: one for each command, with all of its options, and without a mistake that a formatter knows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from pixmill.cli.command import commands
from pixmill.cli.docs.help import option_names, option_text
from pixmill.cli.docs.manual import manual_pages
from support.shells import need

FOLDER = Path(__file__).parents[2] / "docs/reference/man"
PAGES = sorted(manual_pages())
#: What mandoc reports and is meant: no date, because a page would be out of date each day, and a name line that must not be broken.
MEANT = ('missing date, using ""', "input text line longer than 80 bytes: pixmill\\-")


def shown(page, tmp_path):
    path = tmp_path / page
    path.write_text(manual_pages()[page])
    environment = {**os.environ, "MANWIDTH": "2000", "LANG": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    command = (need("man"), "--warnings", "--no-hyphenation", "--no-justification", "-l", str(path))
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert result.stderr == ""
    return result.stdout


def test_the_folder_has_these_pages_and_no_others():
    assert sorted(path.name for path in FOLDER.iterdir()) == PAGES
    assert {f"pixmill-{name}.1" for name in commands.names()} | {"pixmill.1"} == set(PAGES)


@pytest.mark.parametrize("name", commands.names())
def test_a_page_shows_every_option_as_the_help_does(name, tmp_path):
    text = shown(f"pixmill-{name}.1", tmp_path)
    for option in commands.get(name).options().values():
        names, value = option_names(option)
        assert re.search(rf"^ +{re.escape(', '.join(names))}( {re.escape(value)})?( |$)", text, re.MULTILINE), option.name
        assert option_text(option) in text
    for example in commands.get(name).examples:
        assert example in text


def test_the_page_of_pixmill_names_those_of_the_commands(tmp_path):
    text = shown("pixmill.1", tmp_path)
    for name in commands.names():
        assert f"pixmill-{name}(1)" in text


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_nothing_that_is_not_meant(page):
    checked = subprocess.run((need("mandoc"), "-T", "lint", FOLDER / page), capture_output=True, text=True, check=False)
    assert [line for line in checked.stdout.splitlines() if not any(meant in line for meant in MEANT)] == []
