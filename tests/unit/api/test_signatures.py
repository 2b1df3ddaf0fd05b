"""The signatures that type checkers see are those of the declarations."""

import importlib.util
import keyword
import typing
from pathlib import Path

import pytest

from pixmill.api.image_keywords import ImageOptions
from pixmill.api.keywords import RunOptions
from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.batch.config.options import options

SCRIPT = Path(__file__).parents[3] / "docs" / "signatures.py"


@pytest.fixture(scope="module")
def signatures():
    spec = importlib.util.spec_from_file_location("signatures", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_keywords_are_current(signatures):
    assert signatures.image_keywords() == signatures.IMAGE_KEYWORDS.read_text(), "run: python docs/signatures.py"
    assert signatures.keywords() == signatures.KEYWORDS.read_text(), "run: python docs/signatures.py"


def test_the_constructors_are_current(signatures):
    assert signatures.recipe() == signatures.RECIPE.read_text(), "run: python docs/signatures.py"


def test_every_option_and_alias_is_a_keyword_of_a_run():
    always = {name for name in ALWAYS_ON if not keyword.iskeyword(name)}
    assert set(RunOptions.__annotations__) == {*options(), *ALIASES, *always}


def test_the_keywords_of_an_image_are_some_of_those_of_a_run():
    assert set(ImageOptions.__annotations__) < set(RunOptions.__annotations__)
    assert {"size", "format", "max_pixels", "width"} <= set(ImageOptions.__annotations__)
    assert not {"workers", "include", "overwrite"} & set(ImageOptions.__annotations__)


def test_the_types_exist():
    assert typing.get_type_hints(RunOptions)["workers"] == int | None


@pytest.mark.parametrize("kind", [ImageOptions, RunOptions])
def test_help_describes_every_keyword(kind):
    own = set(kind.__annotations__) - (set(ImageOptions.__annotations__) if kind is RunOptions else set())
    assert [name for name in own if f"\n    {name}: " not in kind.__doc__] == []
