"""Help uses the width of the terminal, and colours only where they are shown."""

import re
import sys

import pytest

from pixmill.cli.command import commands
from pixmill.cli.docs.help import command_help, welcome
from pixmill.cli.docs.layout import END, HEADING, MAX_WIDTH, MIN_WIDTH, NAME, Layout
from support.shells import ESCAPES, Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shown(clean_environment, tmp_path):
    """Return a function that returns what a command writes to a terminal."""

    def show(*words, columns, **variables):
        plain = {name: value for name, value in clean_environment.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
        environment = {**plain, "TERM": "xterm-256color", **variables}
        terminal = Terminal((sys.executable, "-m", "pixmill", *words), columns=columns, cwd=tmp_path, env=environment)
        try:
            return terminal.read_all().replace("\r\n", "\n")
        finally:
            terminal.close()

    return show


def widest(text):
    return max(len(COLOUR.sub("", line)) for line in text.splitlines())


def test_lines_are_as_wide_as_the_terminal_up_to_a_width_that_reads_well(shown):
    assert 55 < widest(shown("run", "--help", columns=60)) <= 60
    assert 95 < widest(shown("run", "--help", columns=300)) <= MAX_WIDTH


@pytest.mark.parametrize("width", [MIN_WIDTH, 60, 80, MAX_WIDTH])
def test_no_help_is_wider_than_the_terminal(width):
    texts = [welcome(Layout(width)), *(command_help(name, command, Layout(width)) for name, command in commands)]
    assert max(map(widest, texts)) <= width


def test_headings_are_bold_and_names_have_a_colour(shown):
    text = shown("run", "--help", columns=80)
    assert f"\n{HEADING}Image options:{END}\n" in text
    assert f"\n  {NAME}-s, --size SIZE{END}  " in text
    assert f"\n{HEADING}Parameters:{END}\n" in shown("explain", "sharpen", columns=80)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_a_terminal_without_colours_gets_plain_text(shown, variables):
    text = shown("explain", "--help", columns=80, **variables)
    assert not ESCAPES.search(text)
    assert text.startswith("pixmill explain [NAME]")


def test_a_pipe_gets_80_plain_columns_unless_colours_are_forced(pixmill):
    plain = pixmill("report", "--help").stdout
    assert widest(plain) <= 80
    assert "\x1b" not in plain
    forced = pixmill("report", "--help", env={"FORCE_COLOR": "1"}).stdout
    assert forced != plain
    assert COLOUR.sub("", forced) == plain


def test_pixmill_alone_on_a_terminal_prints_the_welcome_in_lines(shown):
    text = shown(columns=70, NO_COLOR="1")
    assert "\nCommands:\n  bench       Measure" in text
    assert widest(text) <= 70


def test_an_example_that_is_too_wide_is_continued_as_a_shell_does():
    line = "pixmill run photos out --size 800x600 --format webp --quality 80"
    shown = list(Layout(50).command_line(line))
    assert len(shown) > 1
    assert " ".join("\n".join(shown).replace("\\\n", "").split()) == line
    assert all(each.endswith(" \\") for each in shown[:-1])
    assert list(Layout(80).command_line(line)) == [f"  {line}"]


def test_code_stays_on_one_line():
    text = Layout(50).fill("A sentence that is about as long as a line, then ``pixmill failures DST``, and more.")
    assert text == "A sentence that is about as long as a line, then\npixmill failures DST, and more."
