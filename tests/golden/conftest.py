"""What the golden tests share: the corpus beside the repository, and a picture's way through a recipe."""

import importlib.util
from pathlib import Path

import pytest

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


@pytest.fixture(scope="session")
def measure():
    """Return the module beside this file that measures: test modules cannot import one another."""
    spec = importlib.util.spec_from_file_location("golden_measure", Path(__file__).with_name("_measure.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def corpus():
    """Return the function that reads a file of the corpus, and skips the test where it is absent."""

    def read(name):
        path = CORPUS / name
        if not path.is_file():
            pytest.skip(f"the corpus has no {name} here")
        return path.read_bytes()

    return read


@pytest.fixture
def make():
    """Return the function that takes a picture's bytes through a recipe given as plain data; PNG at its own size by default."""

    def made(data, *, output="png", **recipe):
        steps = recipe.pop("steps", [])
        encode = output if isinstance(output, dict) else {"format": output}
        return process(Input(data), Recipe.from_builtins({"steps": steps, "renditions": [{"encode": encode}], **recipe}))

    return made
