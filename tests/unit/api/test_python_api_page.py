"""docs/python-api.md is current, and has an example for every public name."""

import importlib.util
from pathlib import Path

import pixmill

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("python_api", DOCS / "python_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == (DOCS / "python-api.md").read_text("utf-8"), "run: python docs/python_api.py"


def test_every_public_name_has_an_example_that_uses_it():
    examples = {path.stem: path.read_text("utf-8") for path in (DOCS / "python_examples").glob("*.py")}
    assert set(examples) == set(pixmill.__all__)
    used = {name for name, text in examples.items() if f"pixmill.{name}" in text or f"import {name}" in text}
    assert set(examples) - used == {"Output"}  # what process returns
