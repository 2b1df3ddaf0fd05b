"""A list as a text table, ``.csv`` or ``.tsv``, whose first row names the columns."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Self

from pixmill.batch.manifests.row import MAX_ROW_LENGTH, ManifestRow, choose_column, other_columns, stored_in
from pixmill.core.errors import ConfigError


def read(file: BinaryIO, column: str | None, *, shown: str, delimiter: str) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``, which is UTF-8; ``ConfigError`` when no column names the images.

    If ``delimiter`` is a comma and the first row has semicolons but no comma, the semicolon is the delimiter. Paths keep bytes
    that are not valid UTF-8; in other columns they become U+FFFD.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    lines = _Lines(text)
    first = next(lines, "")
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    names = next(csv.reader([first], delimiter=delimiter), [])
    path_column = choose_column(names, column, shown=shown)
    if len(set(names)) < len(names):
        raise ConfigError(f"{shown} has two columns with the same name")
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        lines.begin_row()
        try:
            row = next(rows)
        except StopIteration:
            text.detach()
            return
        except csv.Error as error:
            yield ManifestRow(number, error=f"the row cannot be read: {error}")
            continue
        if row:
            yield _to_row(number, dict(zip(names, row, strict=False)), path_column)


class _Lines:
    """The lines of ``text``. Raises ``csv.Error`` in the middle of a row that is too long, and goes on with the line after that."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.begin_row()

    def begin_row(self) -> None:
        """Note that the next line begins a row."""
        self._left = MAX_ROW_LENGTH

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        if len(line) <= self._left:
            self._left -= len(line)
            return line
        while line and not line.endswith("\n"):
            line = self._text.readline(MAX_ROW_LENGTH)
        raise csv.Error(f"it is longer than {MAX_ROW_LENGTH:,} characters")


def _to_row(number: int, row: dict[str, str], path_column: str) -> ManifestRow:
    text = row.get(path_column, "")
    if not text:
        return ManifestRow(number, error=f"column {path_column} is empty")
    others = {name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name, value in row.items()}
    image = stored_in(row, path_column) + text.encode("utf-8", "surrogateescape")
    return ManifestRow(number, image, other_columns(others, path_column))
