"""What a person finds in an interactive session: ``help``, ``dir`` and the names that they list."""

import re

import pytest

import pixmill
import pixmill.engine


@pytest.fixture(scope="module")
def overview():
    """Return the lines of the docstring about names, by name."""
    return dict(re.findall(r"^(\w+) {2,}(\S.*)$", pixmill.__doc__, re.MULTILINE))


def test_the_overview_has_a_line_for_each_public_name(overview):
    errors = {name for name in pixmill.__all__ if isinstance(getattr(pixmill, name), type) and name.endswith("Error")}
    assert set(overview) == {*pixmill.__all__} - errors | {"PixmillError"}
    assert errors - {"PixmillError"} <= set(re.findall(r"\w+", overview["PixmillError"]))


@pytest.mark.parametrize("package", [pixmill, pixmill.engine])
def test_dir_lists_the_public_names_and_nothing_private(package):
    assert {name for name in dir(package) if not name.startswith("__")} == set(package.__all__)


def test_help_works_and_begins_with_the_overview(python):
    done = python("-c", "import pixmill; help(pixmill); help(pixmill.engine)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("process_all   the same, for several outputs") < 2000
    assert "**options" in done.stdout


@pytest.mark.parametrize("name", ["RunOptions", "ImageOptions"])
def test_help_describes_the_options(python, name):
    done = python("-c", f"import pixmill; help(pixmill.{name})")
    assert "number of worker processes" in done.stdout or "box to fit into" in done.stdout


def test_a_misspelt_name_is_answered_with_the_nearest_one(python):
    done = python("-c", "import pixmill; pixmill.proces('photo.jpg')")
    assert "no attribute 'proces'. Did you mean: 'process'?" in done.stderr
