"""Values from the metadata of images, made safe for names of files."""

import re
from collections.abc import Mapping

from pixmill.imaging.metadata.variables import BY_NAME, Field

MAX_BYTES = 100  # of a value; a name of a file has at most 255
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')  # not allowed in names everywhere


def safe_value(field: Field, values: Mapping[str, str]) -> str:
    """Return the text of ``field`` for a name: its value, its default, or a word that says that there is none.

    Only the slashes of a date's format make folders.
    """
    text = field.value(values)
    is_date = field.name == "date" and bool(values.get("date"))
    return _UNSAFE.sub("-", text) if is_date else safe(text) or BY_NAME[field.name].absent


def safe(text: str) -> str:
    """Return ``text`` as a part of a name on every file system; it is no folder, and is not hidden."""
    one_line = " ".join(_UNSAFE.sub("-", text.replace("/", "-")).split())
    return one_line.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore").strip(". ")
