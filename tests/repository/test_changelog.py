"""The fragments in changes/ have the form that a release needs, and a release gathers them into CHANGELOG.md."""

import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "changelog.py"
DAY = "2026-01-31"


@pytest.fixture
def copy(tmp_path):
    """Return a copy of what a release changes."""
    shutil.copytree(ROOT / "changes", tmp_path / "changes")
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    (tmp_path / "src" / "pixmill").mkdir(parents=True)
    set_version(tmp_path, "99.0.0")
    (tmp_path / "changes" / "every-kind.md").write_text("Fixed: `a` fix.\n\nAdded: `b`.\n\nChanged: `c`.\n")
    return tmp_path


def set_version(root, version):
    (root / "src" / "pixmill" / "__init__.py").write_text(f'__version__ = "{version}"\n')


def changelog(root, *words, fails=False):
    ended = subprocess.run([sys.executable, SCRIPT, "--root", root, *words], capture_output=True, text=True, check=False)
    assert (ended.returncode != 0) == fails, ended.stderr
    return ended.stderr if fails else ended.stdout


def outline(text):
    """Return the headings and the number of entries below each, as Markdown has them."""
    tokens = MarkdownIt().parse(text)
    found = []
    for here, following in pairwise(tokens):
        if here.type == "heading_open" and here.tag in ("h2", "h3"):
            found.append([following.content, 0])
        elif here.type == "list_item_open" and here.level == 1:
            found[-1][1] += 1
    return found


def test_every_fragment_can_be_released():
    title, *kinds = [title for title, _ in outline(changelog(ROOT))]
    assert title == "Unreleased"
    assert kinds == [kind for kind in ("Added", "Changed", "Fixed") if kind in kinds]


def test_no_link_of_the_list_is_broken():
    tokens = [token for block in MarkdownIt().parse(changelog(ROOT)) for token in block.children or ()]
    links = [token.attrs["href"] for token in tokens if token.type == "link_open"]
    assert [link for link in links if "://" not in link and not (ROOT / link.split("#")[0]).exists()] == []


def test_the_changelog_has_no_section_before_the_release_that_it_belongs_to():
    titles = [title for title, _ in outline((ROOT / "CHANGELOG.md").read_text())]
    assert [title for title in titles if not re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)|Added|Changed|Fixed", title)] == []


def test_a_release_writes_a_section_and_removes_the_fragments(copy):
    expected = outline(changelog(copy))
    words = [word for path in (copy / "changes").glob("*.md") if path.name != "README.md" for word in quoted(path.read_text())]
    changelog(copy, "--release", DAY)
    assert [path.name for path in (copy / "changes").iterdir()] == ["README.md"]
    text = (copy / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    assert outline(text)[: len(expected)] == [["99.0.0 (2026-01-31)", 0], *expected[1:]]
    assert "No version has been released" not in text
    assert [word for word in words if word not in text] == []


def quoted(text):
    """Return the names in ``text`` that a reader may search for."""
    return re.findall(r"`[^`\n]+`", text)


def test_the_next_release_comes_first_and_notes_are_those_of_one_version(copy):
    changelog(copy, "--release", DAY)
    set_version(copy, "100.0.0")
    (copy / "changes" / "b.md").write_text("Fixed: the second.\n\nHow it was before.\n\nAdded: the third.\n")
    (copy / "changes" / "a.md").write_text("Fixed: the first\nof all.\n")
    changelog(copy, "--release", "2026-02-28")
    assert [title for title, _ in outline((copy / "CHANGELOG.md").read_text())][:3] == ["100.0.0 (2026-02-28)", "Added", "Fixed"]
    wanted = "### Added\n\n- The third.\n\n### Fixed\n\n- The first\n  of all.\n- The second.\n\n  How it was before.\n"
    assert changelog(copy, "--notes", "100.0.0") == wanted
    assert "## " not in changelog(copy, "--notes", "99.0.0").replace("### ", "")


def test_what_cannot_be_released_is_said_and_changes_nothing(copy):
    (copy / "changes" / "wrong.md").write_text("pixmill is better now.\n")
    before = (copy / "CHANGELOG.md").read_text()
    assert "wrong.md: the first line must begin with one of Added:" in changelog(copy, "--release", DAY, fails=True)
    assert "no section 9.9.9" in changelog(copy, "--notes", "9.9.9", fails=True)
    assert (copy / "CHANGELOG.md").read_text() == before
    (copy / "changes" / "wrong.md").unlink()
    changelog(copy, "--release", DAY)
    (copy / "changes" / "late.md").write_text("Fixed: late.\n")
    assert "has a section 99.0.0 already" in changelog(copy, "--release", DAY, fails=True)
    set_version(copy, "100.0.0")
    (copy / "changes" / "late.md").unlink()
    assert "nothing to release" in changelog(copy, "--release", DAY, fails=True)
