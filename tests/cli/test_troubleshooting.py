"""docs/troubleshooting.md names every code of an error once."""

import importlib.util
import re
from pathlib import Path

from pixmill.core.errors import error_codes

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "troubleshooting.md").read_text("utf-8")


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("troubleshooting", DOCS / "troubleshooting.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == TEXT, "run: python docs/troubleshooting.py"


def test_every_code_of_an_error_is_there():
    assert set(error_codes()) <= set(re.findall(r"^\| `([\w-]+)` \|", TEXT, re.MULTILINE))
