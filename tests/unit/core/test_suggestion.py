"""A suggestion is a misspelling of the word, never a word of another meaning."""

import pytest

from pixmill.batch.config.aliases import ALIASES
from pixmill.cli.command import commands, every_option
from pixmill.core.suggestion import did_you_mean

OPTIONS = [f"--{name.replace('_', '-')}" for name in (*every_option(), *ALIASES)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--sise", "--size"), ("--siz", "--size"), ("--szie", "--size"), ("--qualty", "--quality"),
        ("--wrokers", "--workers"), ("--formatt", "--format"), ("--max_pixels", "--max-pixels"), ("--maxpixels", "--max-pixels"),
        ("--max-pixles", "--max-pixels"),
        ("--backgruond", "--background"), ("--interuptions", "--interruptions"),
        ("--overwrit", "--overwrite"), ("--Size", "--size"),
    ],
)  # fmt: skip
def test_a_misspelling_is_recognised(typed, meant):
    assert did_you_mean(typed, OPTIONS) == f"; did you mean '{meant}'?"


@pytest.mark.parametrize(
    "word",
    [
        "convert", "skip", "resume", "watch", "scale", "percent", "first", "filter", "flat", "same", "fix", "stop", "share",
        "trace", "quantity", "max-size", "min-size", "target-size", "target-pixels", "min-pixels", "delete", "type", "exit",
        "extra", "effect", "reverse", "border", "rate", "date", "label", "save", "copy", "merge", "split", "sharp", "url",
    ],
)  # fmt: skip
def test_a_word_of_its_own_is_no_misspelling(word):
    options = [option for option in OPTIONS if option != f"--{word}"]
    assert did_you_mean(f"--{word}", options) == ""


@pytest.mark.parametrize("word", ["convert", "import", "test", "fun", "gun", "plane", "stat", "paint"])
def test_no_command_is_suggested_for_another_word(word):
    assert did_you_mean(word, commands.names()) in ("", "; did you mean 'status'?")


def test_of_several_the_nearest_is_suggested():
    assert did_you_mean("qualityy", ["qualities", "quality"]) == "; did you mean 'quality'?"
    assert did_you_mean("x", ["xy", "y"]) == ""
