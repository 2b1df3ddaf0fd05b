from typing import Annotated

import pytest
from msgspec import Meta

from pixmill.cli.args.parser import Argument, named, parse
from pixmill.cli.command import declared
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model


class Mill(Model, frozen=True, kw_only=True):
    stones: Annotated[int, Meta(ge=1, description="mill stones")] = 2
    is_open: Annotated[bool, Meta(description="whether it works today")] = False
    wind: Annotated[int | None, Meta(description="how it blows", extra={"value": "[SPEED]", "alone": "7"})] = None
    grain: Annotated[tuple[str, ...], Meta(description="what is milled")] = ()


OPTIONS = declared("The mill", Mill)


@pytest.mark.parametrize(
    ("line", "words", "values"),
    [
        ([], (), {}),
        (["a", "b"], ("a", "b"), {}),
        (["a", "--stones", "3", "b"], ("a", "b"), {"stones": 3}),
        (["--stones=3", "--stones=4"], (), {"stones": 4}),
        (["--is-open"], (), {"is_open": True}),
        (["--is-open", "--no-is-open"], (), {"is_open": False}),
        (["--grain", "rye", "a", "--grain", "oat,s"], ("a",), {"grain": ("rye", "oat,s")}),
        (["--", "--stones", "-x"], ("--stones", "-x"), {}),
        (["a", "--", "--", "b"], ("a", "--", "b"), {}),
        (["-"], ("-",), {}),
        (["--grain=-x"], (), {"grain": ("-x",)}),
        (["--wind"], (), {"wind": 7}),
        (["--wind", "3", "a"], ("a",), {"wind": 3}),
        (["--wind=3", "4"], ("4",), {"wind": 3}),
        (["--wind", "a", "--stones", "3"], ("a",), {"wind": 7, "stones": 3}),
        (["a", "--wind", "--is-open"], ("a",), {"wind": 7, "is_open": True}),
    ],
)
def test_a_line_is_taken_apart_into_words_and_values(line, words, values):
    typed = parse(line, OPTIONS)
    assert (typed.positionals, typed.values) == (words, values)


def test_help_is_all_that_is_looked_at_when_it_is_asked_for():
    assert parse(["--stones", "none", "-h"], OPTIONS).help


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--stone", "3"], "unknown option --stone; did you mean '--stones'?"),
        (["--stones"], "--stones needs a value: an integer of at least 1"),
        (["--grain", "--is-open"], "--grain needs a value: text"),
        (["--is-open=yes"], "--is-open takes no value"),
        (["--no-is-open=yes"], "--no-is-open takes no value"),
        (["-hx"], "--help takes no value"),
        (["--"[:1] + "x"], "unknown option -x"),
    ],
)
def test_what_does_not_fit_is_named(line, sentence):
    with pytest.raises(ConfigError) as raised:
        parse(line, OPTIONS)
    assert raised.value.message == sentence


def test_words_get_the_names_of_their_arguments():
    source, destination = Argument("SRC", "here"), Argument("DST", "there")
    assert named(["a"], [source, destination]) == {"SRC": ("a",)}
    assert named(["a", "b"], [source, destination]) == {"SRC": ("a",), "DST": ("b",)}
    with pytest.raises(ConfigError, match="unexpected argument c: expected SRC DST"):
        named(["a", "b", "c"], [source, destination])
    with pytest.raises(ConfigError, match="unexpected argument a: expected none"):
        named(["a"], [])


def test_a_repeatable_argument_takes_the_words_that_the_others_leave():
    source, destination = Argument("SRC", "here", repeatable=True), Argument("DST", "there")
    assert named([], [source, destination]) == {}
    assert named(["a"], [source, destination]) == {"SRC": ("a",)}
    assert named(["a", "b", "c"], [source, destination]) == {"SRC": ("a", "b"), "DST": ("c",)}
    assert named(["a", "b"], [source]) == {"SRC": ("a", "b")}
    with pytest.raises(ConfigError, match="SRC must not be empty"):
        named(["a", "", "c"], [source, destination])
