"""``ManifestRow``: one row of a list as read, and the choice of the column that names the image."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pixmill.core.errors import ConfigError
from pixmill.core.suggestion import did_you_mean
from pixmill.core.text import printable

#: names of columns with paths or URLs; the first one that a list has is used
COLUMNS = ("path", "url", "image", "file", "key", "image_path", "image_url", "file_path", "filename", "file_name", "uri")
ETAGS = ("etag", "e_tag")
MAX_ROW_LENGTH = 1 << 22  # characters of a row of a table, or bytes where it is not text
MAX_CELL_LENGTH = 1 << 17  # the same of a cell: the limit of the module csv of the standard library


class ManifestRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The row ``number`` (from 1) of a list: its path or URL, and its other ``columns`` as a JSON object.

    ``error`` says why the row is invalid; empty if it is valid.
    """

    number: int
    text: bytes = b""
    columns: bytes = b""
    error: str = ""


def choose_column(names: Iterable[str], requested: str | None, *, shown: str) -> str:
    """Return the column that names the images: ``requested``, or the first of ``COLUMNS``; ``ConfigError`` when there is none."""
    columns = list(names)
    by_name = {name.strip().lower(): name for name in reversed(columns)}
    if requested is not None:
        if requested in columns:
            return requested
        raise ConfigError(f"column: {shown} has no column '{printable(requested)}'{did_you_mean(requested, columns)}")
    for name in COLUMNS:
        if name in by_name:
            return by_name[name]
    quoted = ", ".join(map(printable, columns[:20])) or "none"
    raise ConfigError(
        f"{shown} has no column named {', '.join(COLUMNS[:5])}; it has: {quoted}", hint="choose one with --column NAME"
    )


def stored_in(row: Mapping[str, object], path_column: str) -> bytes:
    """Return the address of the bucket that ``row`` names beside a column ``key``, with a slash; empty if it names none."""
    bucket = next((value for name, value in row.items() if name.strip().lower() == "bucket"), None)
    is_key = path_column.strip().lower() == "key"
    return b"s3://" + bucket.encode("utf-8", "surrogateescape") + b"/" if is_key and bucket and isinstance(bucket, str) else b""


def etag_in(columns: bytes) -> bytes:
    """Return the ETag among the other ``columns`` of a row, without quotes; empty if there is none."""
    if b"tag" not in columns.lower():
        return b""
    row = msgspec.json.decode(columns, type=dict[str, Any])
    etag = next((value for name, value in row.items() if name.strip().lower() in ETAGS), None)
    return etag.strip().strip('"').encode() if isinstance(etag, str) else b""


def other_columns(columns: Mapping[str, object], without: str) -> bytes:
    """Return all ``columns`` except ``without`` as a JSON object; empty when there are no others."""
    others = {name: value for name, value in columns.items() if name != without}
    return msgspec.json.encode(others) if others else b""
