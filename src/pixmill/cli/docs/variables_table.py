"""The table of variables, for ``explain variables`` and the reference: from ``imaging.metadata.variables``."""

from collections.abc import Iterator

from pixmill.imaging.metadata.variables import OPTIONAL, VARIABLES, Variable

SUMMARY = "What ``{...}`` may stand for in names of outputs, and in texts."
TEXT = """\
``--name`` takes all of them. ``{date:%Y/%m}`` has a format of ``%Y %y %m %b %d %j %H %M %S %%``; without one, it is ``%Y-%m-%d``.
``{counter:04}`` has at least so many digits. ``{camera|no camera}`` has a default for a value that is not known. Without one, a
name has ``unknown`` there, or ``undated``.

The values of dates, cameras, authors and copyright notices are those of EXIF, else of IPTC, else of XMP; dates are only in EXIF."""
WORDS = {"names": "--name", "texts": "--set, --step text"}


def places(variable: Variable) -> str:
    """Return where ``variable`` may be used."""
    return ", ".join(word for place, word in WORDS.items() if place in variable.places)


def facts() -> Iterator[tuple[str, str]]:
    """Yield each variable with its meaning, and where it may be used."""
    yield from ((f"{{{each.name}}}", f"{each.meaning} ({places(each)})") for each in VARIABLES)


def markdown() -> str:
    """Return the table as Markdown."""
    rows = [["variable", "stands for", "in", "may be unknown"], ["---"] * 4]
    rows += [[f"`{{{each.name}}}`", each.meaning, places(each), "yes" if each.name in OPTIONAL else ""] for each in VARIABLES]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
