"""The variables of names, of texts in pictures, and of metadata: ``{date:%Y}``, ``{camera|unknown}``. The only list of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from pixmill.core.validation import InvalidValue
from pixmill.imaging.metadata.dates import check_format, dated

Place = Literal["names", "texts"]
EVERYWHERE: frozenset[Place] = frozenset(("names", "texts"))
NAMES: frozenset[Place] = frozenset(("names",))
#: A variable in a text: everything between the braces.
FIELD = re.compile(r"\{(\w*(?::[^{}|]*)?(?:\|[^{}]*)?)\}")
_DIGITS = re.compile(r"0?[1-9]")
_EXPECTED_DIGITS = "a {counter:DIGITS} with 1 to 9 digits, such as {counter:04}"


class Variable(NamedTuple):
    """A variable: its ``name``, what it stands for, and where it may be used.

    ``absent`` takes the place of a value that is not known, in names; in texts nothing does. ``is_late``: only the coordinator of a
    run knows it, once the image is read.
    """

    name: str
    meaning: str
    places: frozenset[Place] = NAMES
    absent: str = "unknown"
    is_late: bool = False


VARIABLES = (
    Variable("dir", "folder of the source below SRC"),
    Variable("parent", "name of the folder that the source is in, also if that is SRC"),
    Variable("stem", "file name of the source without its extension"),
    Variable("ext", "extension of the output's format"),
    Variable("name", "whole file name of the source"),
    Variable("rendition", "name of the rendition, if there are several"),
    Variable("hash", "32 hex digits of the source's path"),
    Variable("source", "name of SRC: of the folder, bucket or archive", is_late=True),
    Variable("counter", "number of the image among those whose name is otherwise the same, from 1", is_late=True),
    Variable("width", "width of the output in pixels", EVERYWHERE, is_late=True),
    Variable("height", "height of the output in pixels", EVERYWHERE, is_late=True),
    Variable("date", "when the picture was taken", EVERYWHERE, "undated", is_late=True),
    Variable("camera", "model of the camera", EVERYWHERE, is_late=True),
    Variable("artist", "who made the picture", EVERYWHERE, is_late=True),
    Variable("copyright", "copyright notice of the picture", EVERYWHERE, is_late=True),
)
BY_NAME = {each.name: each for each in VARIABLES}
#: Those that may not be known, so that they can have a default.
OPTIONAL = ("date", "camera", "artist", "copyright")

#: what to write for a variable that other programs have
_ANSWERS = {
    "year": "the year is {date:%Y}",
    "month": "the month is {date:%m}",
    "day": "the day is {date:%d}",
    "size": "the name of a size is {rendition}",
    "model": "the model of the camera is {camera}",
    "author": "the author is {artist}",
    "creator": "the author is {artist}",
    "index": "a number is {counter:04}",
    "number": "a number is {counter:04}",
    "seq": "a number is {counter:04}",
    "folder": "the folder is {parent}",
}


class Field(NamedTuple):
    """A use of a variable: its ``name``, the ``form`` of its value, and the ``default`` if that is not known."""

    name: str
    form: str = ""
    default: str | None = None

    def value(self, values: Mapping[str, str]) -> str:
        """Return the text for ``values``, by name; the default, or nothing, if they lack this one."""
        known = values.get(self.name, "")
        if self.name == "date":
            known = dated(known, self.form)
        elif self.name == "counter" and self.form:
            known = known.zfill(int(self.form))
        return known or self.default or ""


def parsed(field: str) -> Field:
    """Return what stands between braces."""
    head, bar, default = field.partition("|")
    name, _, form = head.partition(":")
    return Field(name, form, default if bar else None)


def named(place: Place) -> tuple[str, ...]:
    """Return the names of the variables that may be used in this ``place``."""
    return tuple(each.name for each in VARIABLES if place in each.places)


def check(text: str, place: Place) -> None:
    """Raise ``ValueError`` if ``text`` has a variable that may not be used in this ``place``, or not in this form."""
    for found in FIELD.findall(text):
        name, form, _ = parsed(found)
        has_form = ":" in found.partition("|")[0]
        is_wrong = (has_form and name not in ("date", "counter")) or ("|" in found and name not in OPTIONAL)
        if name not in named(place) or is_wrong:
            known = [f"{{{each}}}" for each in named(place)]
            expected = "a field among " + ", ".join(known)
            raise InvalidValue(expected, f"{{{found}}}", choices=known, answer=_ANSWERS.get(name.lower(), ""))
        if has_form and name == "date":
            check_format(form)
        if has_form and name == "counter" and not _DIGITS.fullmatch(form):
            raise ValueError(_EXPECTED_DIGITS)


def used(texts: Iterable[str]) -> frozenset[str]:
    """Return the names of the variables in ``texts``."""
    return frozenset(parsed(found).name for text in texts for found in FIELD.findall(text))


def check_text(text: str) -> None:
    """Raise ``ValueError`` if ``text`` has a variable that a text cannot have, or braces that are none."""
    check(text, "texts")
    if set(FIELD.sub("", text)) & set("{}"):
        raise ValueError("braces only around the name of a variable, such as {artist}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with the ``values`` of its variables in their places."""
    return FIELD.sub(lambda found: parsed(found[1]).value(values), text)
