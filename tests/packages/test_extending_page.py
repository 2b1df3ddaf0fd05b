"""The page on extending shows what the packages really contain."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/extending.md").read_text()
ROWS = re.findall(r"^\| .*? \| `([\w.]+)` \| `([\w.]+)` \| `([\w/.-]+)` \|(?: `([\w.]+)`)? \|$", PAGE, re.MULTILINE)


def test_every_quotation_is_in_the_file_that_it_names():
    quoted = re.findall(r"^```\w+\n# (packages/\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(quoted) == 3
    for name, text in quoted:
        assert text in (REPOSITORY / name).read_text(), name


def test_every_package_is_named_with_a_link():
    for package in (REPOSITORY / "packages").glob("*/pyproject.toml"):
        assert f"(../packages/{package.parent.name}/README.md)" in PAGE


def test_there_is_a_row_for_each_kind():
    assert len(ROWS) == 7


@pytest.mark.parametrize(("base", "group", "start", "suite"), ROWS)
def test_a_row_names_what_exists(base, group, start, suite):
    package, _, name = base.rpartition(".")
    assert isinstance(getattr(import_module(package), name), type)
    import_module(group)
    assert any((REPOSITORY / folder / start).exists() for folder in ("src/pixmill", "."))
    if suite:
        module, _, name = suite.rpartition(".")
        assert isinstance(getattr(import_module(f"pixmill.testing.{module}"), name), type)


def test_the_suite_that_is_shown_passes(tmp_path):
    (program,) = re.findall(r"^```python\n(import pytest\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_shown.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shown.py"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout
