"""A list of JSON objects, one a line; a line that is only a string is a path or URL itself."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from pixmill.batch.manifests.row import ManifestRow, choose_column, described
from pixmill.core.errors import ConfigError
from pixmill.core.validation import DECODE_ERRORS

_LONGEST = 1 << 24  # bytes of one line


def read(file: BinaryIO, column: str | None, *, shown: str) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``. The first object decides which member names the image; ``ConfigError`` when it is no list."""
    decode = msgspec.json.Decoder(dict[str, object] | str).decode
    chosen, number = column, 0
    while line := file.readline(_LONGEST):
        number += 1
        if line.isspace():
            continue
        try:
            row = decode(line.removeprefix(b"\xef\xbb\xbf"))
        except DECODE_ERRORS as error:
            if number == 1:
                raise ConfigError(f"{shown} is no list of JSON objects, one a line: {error}") from None
            yield ManifestRow(number, refusal=f"the line is no JSON object: {error}")
            continue
        if isinstance(row, str):
            yield ManifestRow(number, row.encode()) if row else ManifestRow(number, refusal="the line is empty")
            continue
        if chosen is None or number == 1:
            chosen = choose_column(row, column, shown=shown)
        yield _listed(number, row, chosen)


def _listed(number: int, row: dict[str, object], chosen: str) -> ManifestRow:
    text = row.get(chosen)
    if not text or not isinstance(text, str):
        return ManifestRow(number, refusal=f"{chosen} is missing, empty or no text")
    return ManifestRow(number, text.encode(), described(row, chosen))
