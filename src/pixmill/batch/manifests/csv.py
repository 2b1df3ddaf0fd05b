"""A list as a table of text, ``.csv`` or ``.tsv``: its first row names the columns."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from pixmill.batch.manifests.row import ManifestRow, choose_column, described
from pixmill.core.errors import ConfigError


def read(file: BinaryIO, column: str | None, *, shown: str, delimiter: str) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``, which is UTF-8; ``ConfigError`` when no column names the images.

    With a comma as ``delimiter`` a semicolon is understood, too, where only that is in the first row. Paths keep bytes that are
    not UTF-8; in other columns they become U+FFFD.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    first = text.readline()
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    names = next(csv.reader([first], delimiter=delimiter), [])
    chosen = choose_column(names, column, shown=shown)
    if len(set(names)) < len(names):
        raise ConfigError(f"{shown} has two columns with one name")
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
            yield ManifestRow(number, refusal=f"the row cannot be read: {error}")
            continue
        if row:
            yield _listed(number, dict(zip(names, row, strict=False)), chosen)


def _listed(number: int, row: dict[str, str], chosen: str) -> ManifestRow:
    text = row.get(chosen, "")
    if not text:
        return ManifestRow(number, refusal=f"the column {chosen} is empty")
    others = {name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name, value in row.items()}
    return ManifestRow(number, text.encode("utf-8", "surrogateescape"), described(others, chosen))
