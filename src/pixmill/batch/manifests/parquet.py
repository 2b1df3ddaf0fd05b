"""A list as a Parquet file, read in batches of a thousand rows."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixmill.batch.manifests.row import ManifestRow, choose_column, other_columns, stored_in
from pixmill.core.errors import ConfigError, MissingExtra

_BATCH_ROWS = 1000
_KEPT_TYPES = (
    "string",
    "large_string",
    "string_view",
    "bool",
    "int",
    "uint",
    "float",
    "double",
    "halffloat",
    "date",
    "timestamp",
    "dictionary",
)


def read(path: Path, column: str | None, *, shown: str) -> Iterator[ManifestRow]:
    """Yield the rows, with those other columns that hold numbers, text, times or booleans.

    ``MissingExtra`` if pyarrow is not installed, ``ConfigError`` if the file is not Parquet or no column names the images.
    """
    try:
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra("parquet", "a list in Parquet") from None
    try:
        file: Any = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ConfigError(f"{shown} is not a Parquet file: {error}") from None
    with file:
        types = {field.name: str(field.type) for field in file.schema_arrow}
        path_column = choose_column(types, column, shown=shown)
        columns = [name for name, kind in types.items() if name == path_column or kind.startswith(_KEPT_TYPES)]
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield _to_row(number, row, path_column)


def _to_row(number: int, row: dict[str, object], path_column: str) -> ManifestRow:
    text = row.get(path_column)
    if isinstance(text, dict):  # the feature Image of Hugging Face datasets, without the bytes of the picture
        text = text.get("path")
    if isinstance(text, str):
        text = text.encode()
    if not text or not isinstance(text, bytes):
        return ManifestRow(number, error=f"{path_column} is missing, empty or not text")
    return ManifestRow(number, stored_in(row, path_column) + text, other_columns(row, path_column))
