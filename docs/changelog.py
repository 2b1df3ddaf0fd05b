"""Gather the fragments in changes/ into a section of CHANGELOG.md.

Usage: ``python docs/changelog.py`` prints the section of the next release. With ``--release 2026-01-31`` it is written to
CHANGELOG.md, with the version of the package and this date as its title, and the fragments are removed. With ``--notes 1.2.0`` the
section of that version is printed, for the notes of its release.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("Added", "Changed", "Fixed")
#: an entry: a kind at the beginning of a line, and everything up to the next one
ENTRY = re.compile(rf"^({'|'.join(KINDS)}): (.*?)(?=^(?:{'|'.join(KINDS)}): |\Z)", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (?=\[?\d)", re.MULTILINE)
VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
HEAD = """\
# Changelog

Changes for users, by version.

[Versions and stability](docs/stability.md) says what a version number promises.
"""


class ChangelogError(Exception):
    """A fragment or the changelog is not as it should be; the message says what to do."""


def fragments(root: Path) -> list[Path]:
    """Return the fragments, sorted by name."""
    return sorted(path for path in (root / "changes").glob("*.md") if path.name != "README.md")


def entries(fragment: Path) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each entry of ``fragment``."""
    text = fragment.read_text("utf-8")
    if not ENTRY.match(text):
        raise ChangelogError(f"{fragment.name}: the first line must begin with one of {', '.join(f'{kind}:' for kind in KINDS)}")
    for kind, entry in ENTRY.findall(text):
        if not entry.strip():
            raise ChangelogError(f"{fragment.name}: nothing follows {kind}:")
        yield kind, entry.strip().replace("](../", "](")  # links begin at the changelog, one folder up


def section(root: Path, title: str) -> str:
    """Return the fragments as a section: a list of entries for each kind."""
    found = [entry for fragment in fragments(root) for entry in entries(fragment)]
    parts = [f"## {title}"]
    for kind in KINDS:
        if texts := [_item(text) for each, text in found if each == kind]:
            parts += [f"### {kind}", "\n".join(texts)]
    return "\n\n".join(parts) + "\n"


def release(root: Path, day: date) -> str:
    """Write the section of the version that the package has, remove the fragments, and return the version."""
    changelog = root / "CHANGELOG.md"
    text, version = changelog.read_text("utf-8"), _version(root)
    if _found(text, version):
        raise ChangelogError(f"CHANGELOG.md has a section {version} already: raise __version__ in src/pixmill/__init__.py first")
    if not (used := fragments(root)):
        raise ChangelogError("changes/ has no fragments, so there is nothing to release")
    first = SECTION.search(text)
    sections = [section(root, f"{version} ({day.isoformat()})"), *([text[first.start() :]] if first else [])]
    changelog.write_text("\n".join([HEAD, *sections]), "utf-8")
    for fragment in used:
        fragment.unlink()
    return version


def notes(root: Path, version: str) -> str:
    """Return the section of ``version`` without its title."""
    if not (found := _found((root / "CHANGELOG.md").read_text("utf-8"), version)):
        raise ChangelogError(f"CHANGELOG.md has no section {version}: run python docs/changelog.py --release YYYY-MM-DD")
    return found.strip() + "\n"


def _item(text: str) -> str:
    """Return ``text`` as an item of a list, with a capital letter."""
    return "- " + indent(text[0].upper() + text[1:], "  ").lstrip(" ")


def _found(text: str, version: str) -> str | None:
    """Return what ``text`` has below the title of ``version``, up to the next version."""
    for part in SECTION.split(text)[1:]:
        title, _, body = part.partition("\n")
        if title.split(" ")[0] == version:
            return body
    return None


def _version(root: Path) -> str:
    found = VERSION.search((root / "src" / "pixmill" / "__init__.py").read_text("utf-8"))
    if not found:
        raise ChangelogError("src/pixmill/__init__.py has no __version__")
    return found[1]


def main() -> None:
    """Print a section, or write one with ``--release``."""
    parser = argparse.ArgumentParser(description="Gather the fragments in changes/ into a section of CHANGELOG.md.")
    parser.add_argument("--release", metavar="DATE", type=date.fromisoformat, help="write the section, and remove the fragments")
    parser.add_argument("--notes", metavar="VERSION", help="print the section of a version that CHANGELOG.md has")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository; default: that of this script")
    options = parser.parse_args()
    try:
        if options.release:
            print(f"CHANGELOG.md has a section for {release(options.root, options.release)}; commit it with the removed fragments")
        else:
            print(notes(options.root, options.notes) if options.notes else section(options.root, "Unreleased"), end="")
    except ChangelogError as error:
        sys.exit(f"changelog: {error}")


if __name__ == "__main__":
    main()
