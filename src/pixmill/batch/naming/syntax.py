"""The text of a name template: which fields it has, and whether names made by it can be those of files below the destination."""

import re
from collections.abc import Callable

from pixmill.batch.naming.reserved import is_reserved
from pixmill.batch.naming.values import safe_value
from pixmill.imaging.metadata.variables import BY_NAME, FIELD, check, named, parsed

LATE_FIELDS = tuple(each.name for each in BY_NAME.values() if each.is_late)  # known only when the image is read
COUNTER = "counter"
DISTINCTIVE = ("stem", "name", "hash", COUNTER)
EXPECTED = "a name made of text and " + ", ".join("{" + field + "}" for field in named("names"))
MAX_NAME = 255  # bytes of a file name, on all common file systems
_EMPTY_PARTS = re.compile(r"(?:(?<=/)|^)(?:\./|/(?<!^/))")  # of a path; a slash at its start is none
_EXAMPLE = {"width": "1", "height": "1", "counter": "1", "date": "2001-12-31T23:59:58"}

#: What a template needs, as the rest of *expected ...*, and whether a ``text`` with an ``example`` of its names has that.
_RULES: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("braces only around the name of a field, such as {stem}", lambda _, example: not set(example) & set("{}")),
    ("a path below the destination, which does not begin with / or ~/", lambda text, _: not text.startswith(("/", "~/"))),
    ("a path below the destination, without '.' and '..'", lambda _, example: not {".", ".."} & set(example.split("/"))),
    ("folders separated by slashes, not backslashes", lambda text, _: "\\" not in text),
    ("a name without control characters", lambda _, example: example.isprintable() or not re.search(r"[\x00-\x1f\x7f]", example)),
    ("the path of a file, which does not end in a slash", lambda _, example: not example.endswith("/")),
    (
        "a name with {stem}, {name}, {hash} or {counter}, which tells images apart, such as {stem}-small.{ext}",
        lambda text, _: any(parsed(field).name in DISTINCTIVE for field in FIELD.findall(text)),
    ),
    ("a folder other than .pixmill, which is reserved for records", lambda _, example: not is_reserved(example.encode())),
    (
        f"names of at most {MAX_NAME} bytes",
        lambda _, example: all(len(part.encode("utf-8", "replace")) <= MAX_NAME for part in example.split("/")),
    ),
)


def checked(text: str) -> str:
    """Return ``text`` without empty parts, such as ``./``; ``ValueError`` if it is no template for names of outputs."""
    check(text, "names")
    text = _EMPTY_PARTS.sub("", text)
    example = FIELD.sub(lambda found: _late_text(found[1]) or "x", text)
    for expected, is_met in _RULES:
        if not is_met(text, example):
            raise ValueError(expected)
    return text


def _late_text(text: str) -> str:
    field = parsed(text)
    return safe_value(field, _EXAMPLE) if field.name in LATE_FIELDS else ""
