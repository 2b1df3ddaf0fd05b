"""A list of JSON objects, one per line; a line that is a JSON string is a path or URL itself."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from pixmill.batch.manifests.row import ManifestRow, choose_column, other_columns, stored_in
from pixmill.core.errors import ConfigError
from pixmill.core.validation import DECODE_ERRORS

_MAX_LINE_BYTES = 1 << 24


def read(file: BinaryIO, column: str | None, *, shown: str) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``. The first object decides which member names the image; ``ConfigError`` if it is not a list."""
    decode = msgspec.json.Decoder(dict[str, object] | str).decode
    path_column, number = column, 0
    while line := file.readline(_MAX_LINE_BYTES):
        number += 1
        if line.isspace():
            continue
        try:
            row = decode(line.removeprefix(b"\xef\xbb\xbf"))
        except DECODE_ERRORS as error:
            if number == 1:
                raise ConfigError(f"{shown} is not a list of JSON objects, one per line: {error}") from None
            yield ManifestRow(number, error=f"the line is not a JSON object: {error}")
            continue
        if isinstance(row, str):
            yield ManifestRow(number, row.encode()) if row else ManifestRow(number, error="the line is empty")
            continue
        if path_column is None or number == 1:
            path_column = choose_column(row, column, shown=shown)
        yield _to_row(number, row, path_column)


def _to_row(number: int, row: dict[str, object], path_column: str) -> ManifestRow:
    text = row.get(path_column)
    if not text or not isinstance(text, str):
        return ManifestRow(number, error=f"{path_column} is missing, empty or not text")
    return ManifestRow(number, stored_in(row, path_column) + text.encode(), other_columns(row, path_column))
