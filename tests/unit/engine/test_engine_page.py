"""docs/engine.md is current: its program is the example that a test runs, and its reference has every public name."""

import importlib.util
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_current(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    spec = importlib.util.spec_from_file_location("engine_api", DOCS / "engine_api.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        assert module.page() == (DOCS / "engine.md").read_text("utf-8"), "run: python docs/engine_api.py"
    finally:
        sys.modules.pop("python_api", None)
