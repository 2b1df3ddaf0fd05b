"""A list as a text table, ``.csv`` or ``.tsv``, whose first row names the columns."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from pixmill.batch.manifests.row import ManifestRow, choose_column, other_columns
from pixmill.core.errors import ConfigError


def read(file: BinaryIO, column: str | None, *, shown: str, delimiter: str) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``, which is UTF-8; ``ConfigError`` when no column names the images.

    If ``delimiter`` is a comma and the first row has semicolons but no comma, the semicolon is the delimiter. Paths keep bytes
    that are not valid UTF-8; in other columns they become U+FFFD.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    first = text.readline()
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    names = next(csv.reader([first], delimiter=delimiter), [])
    path_column = choose_column(names, column, shown=shown)
    if len(set(names)) < len(names):
        raise ConfigError(f"{shown} has two columns with the same name")
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
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


def _to_row(number: int, row: dict[str, str], path_column: str) -> ManifestRow:
    text = row.get(path_column, "")
    if not text:
        return ManifestRow(number, error=f"column {path_column} is empty")
    others = {name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name, value in row.items()}
    return ManifestRow(number, text.encode("utf-8", "surrogateescape"), other_columns(others, path_column))
