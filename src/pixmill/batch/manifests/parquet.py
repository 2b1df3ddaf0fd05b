"""A list as a Parquet file, read a thousand rows at a time."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixmill.batch.manifests.row import ManifestRow, choose_column, described
from pixmill.core.errors import ConfigError, MissingExtra

_AT_ONCE = 1000
_CARRIED = (
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
    """Yield the rows; of the other columns those that hold numbers, text, times and truth values.

    ``MissingExtra`` where pyarrow is not installed, ``ConfigError`` when the file is none or no column names the images.
    """
    try:
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra("parquet", "a list in Parquet") from None
    try:
        file: Any = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ConfigError(f"{shown} is no Parquet file: {error}") from None
    with file:
        kinds = {field.name: str(field.type) for field in file.schema_arrow}
        chosen = choose_column(kinds, column, shown=shown)
        carried = [name for name, kind in kinds.items() if name == chosen or kind.startswith(_CARRIED)]
        number = 0
        for batch in file.iter_batches(batch_size=_AT_ONCE, columns=carried):
            for row in batch.to_pylist():
                number += 1
                yield _listed(number, row, chosen)


def _listed(number: int, row: dict[str, object], chosen: str) -> ManifestRow:
    text = row.get(chosen)
    if isinstance(text, str):
        text = text.encode()
    if not text or not isinstance(text, bytes):
        return ManifestRow(number, refusal=f"{chosen} is missing, empty or no text")
    return ManifestRow(number, text, described(row, chosen))
