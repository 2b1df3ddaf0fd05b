"""``Listed``: one row of a list as it stands, and which column of it names the image."""

from collections.abc import Iterable, Mapping

import msgspec

from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.core.validation import did_you_mean

#: the names of a column that holds paths or URLs, the first that is there being taken
COLUMNS = ("path", "url", "image", "file", "key", "image_path", "image_url", "file_path", "filename", "file_name", "uri")


class ManifestRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The row ``number`` (from 1) of a list: the path or URL that it names, and its other ``columns`` as a JSON object.

    ``refusal`` says why it names none, where that is so.
    """

    number: int
    text: bytes = b""
    columns: bytes = b""
    refusal: str = ""


def choose_column(names: Iterable[str], wanted: str | None, *, shown: str) -> str:
    """Return the column that names the images: ``wanted``, or one that is called like that; ``ConfigError`` when there is none."""
    there = list(names)
    by_name = {name.strip().lower(): name for name in reversed(there)}
    if wanted is not None:
        if wanted in there:
            return wanted
        raise ConfigError(f"column: {shown} has no column '{printable(wanted)}'{did_you_mean(wanted, there)}")
    for name in COLUMNS:
        if name in by_name:
            return by_name[name]
    has = ", ".join(map(printable, there[:20])) or "none"
    raise ConfigError(
        f"{shown} has no column called {', '.join(COLUMNS[:5])}; it has: {has}", hint="--column NAME says which it is"
    )


def described(columns: Mapping[str, object], without: str) -> bytes:
    """Return all ``columns`` but one as a JSON object; empty when there are no others."""
    others = {name: value for name, value in columns.items() if name != without}
    return msgspec.json.encode(others) if others else b""
