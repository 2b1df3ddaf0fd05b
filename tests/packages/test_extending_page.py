"""The page on extending shows what the packages really contain."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/extending.md").read_text()


def test_every_quotation_is_in_the_file_that_it_names():
    quoted = re.findall(r"^```\w+\n# (packages/\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(quoted) == 3
    for name, text in quoted:
        assert text in (REPOSITORY / name).read_text(), name


def test_every_package_is_named_with_a_link():
    for package in (REPOSITORY / "packages").glob("*/pyproject.toml"):
        assert f"(../packages/{package.parent.name}/README.md)" in PAGE
