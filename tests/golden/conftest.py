"""Fixtures of the golden tests: the corpus beside the repository, and processing an image with a recipe."""

from pathlib import Path

import pytest

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import colour_oracle

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


@pytest.fixture(scope="session")
def measure():
    """Return the module with the measurements."""
    return colour_oracle


@pytest.fixture
def corpus():
    """Return the function that reads a file of the corpus, and skips the test if the file is absent."""

    def read(name):
        path = CORPUS / name
        if not path.is_file():
            pytest.skip(f"the corpus has no {name} here")
        return path.read_bytes()

    return read


@pytest.fixture
def make():
    """Return the function that processes image bytes with a recipe given as plain data; by default to a PNG of the same size."""

    def made(data, *, output="png", **recipe):
        steps = recipe.pop("steps", [])
        encode = output if isinstance(output, dict) else {"format": output}
        return process(Input(data), Recipe.from_builtins({"steps": steps, "renditions": [{"encode": encode}], **recipe}))

    return made
