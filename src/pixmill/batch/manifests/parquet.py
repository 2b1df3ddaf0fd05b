"""A list as a Parquet file, read in batches of at most a thousand rows.

Cells and rows have the limits of a CSV list. Cells that are too long are found before Python sees them; a group of rows that must
have some, by the size that the file states for it, is not read at all. A file may state a long value once and refer to it in every
row: of columns that do so, pyarrow returns the references.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pixmill.batch.manifests.row import MAX_CELL_LENGTH, MAX_ROW_LENGTH, ManifestRow, choose_column, other_columns, stored_in
from pixmill.core.errors import ConfigError, MissingExtra
from pixmill.core.text import printable

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

    ``MissingExtra`` if pyarrow is not installed, ``ConfigError`` if the file is not Parquet, no column names the images, or a
    column is larger than cells of the permitted length can be.
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
        _check_sizes(file.metadata, frozenset(columns), shown=shown)
        repeated = _long_and_repeated(parquet, path, file.metadata, columns)
    with parquet.ParquetFile(path, read_dictionary=repeated) as file:
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
            for row in _rows(batch):
                number += 1
                yield _to_row(number, row, path_column)


def _check_sizes(metadata: Any, columns: frozenset[str], *, shown: str) -> None:  # noqa: ANN401  # pyarrow has no types
    """Raise ``ConfigError`` if the cells of one of ``columns`` are longer than permitted on average over a group of rows."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            name = chunk.path_in_schema  # with a dot if it is a part of a column: pictures in a list may be longer
            if name in columns and chunk.total_uncompressed_size > (group.num_rows + _BATCH_ROWS) * MAX_CELL_LENGTH:
                raise ConfigError(
                    f"{shown} has {chunk.total_uncompressed_size:,} bytes in {group.num_rows:,} cells of its column "
                    f"{printable(name)}, and a cell may have {MAX_CELL_LENGTH:,}",
                    hint="remove the column from the list",
                )


def _long_and_repeated(parquet: Any, path: Path, metadata: Any, columns: Sequence[str]) -> list[str]:  # noqa: ANN401  # the same
    """Return those of ``columns`` that have a dictionary with a value longer than permitted, as the first row of a group shows."""
    asked: dict[str, list[int]] = {}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for chunk in map(group.column, range(group.num_columns)):
            is_long = chunk.has_dictionary_page and chunk.total_uncompressed_size > MAX_CELL_LENGTH
            if is_long and chunk.physical_type == "BYTE_ARRAY" and chunk.path_in_schema in columns:
                asked.setdefault(chunk.path_in_schema, []).append(number)
    if not asked:
        return []
    with parquet.ParquetFile(path, read_dictionary=list(asked)) as file:
        return [name for name, numbers in asked.items() if any(_is_long(file, name, number) for number in numbers)]


def _is_long(file: Any, name: str, number: int) -> bool:  # noqa: ANN401  # the same
    first = next(file.iter_batches(batch_size=1, row_groups=[number], columns=[name]), None)
    return first is not None and max(_lengths(first.column(0).dictionary), default=0) > MAX_CELL_LENGTH


def _rows(batch: Any) -> Iterator[dict[str, object] | None]:  # noqa: ANN401  # pyarrow has no types
    """Yield the rows of ``batch``, which are converted in parts of limited size; ``None`` for one that is too long."""
    sizes = [0] * batch.num_rows
    for column in batch.columns:
        lengths = _lengths(column)
        for number, length in enumerate(lengths):
            sizes[number] += length if length <= MAX_CELL_LENGTH else MAX_ROW_LENGTH + 1
    begin = 0
    while begin < len(sizes):
        end, size = begin, 0
        while end < len(sizes) and (size := size + sizes[end]) <= MAX_ROW_LENGTH:
            end += 1
        yield from batch.slice(begin, end - begin).to_pylist()
        if end < len(sizes) and sizes[end] > MAX_ROW_LENGTH:
            yield None
            end += 1
        begin = end


def _lengths(column: Any) -> list[int]:  # noqa: ANN401  # pyarrow has no types
    """Return the bytes of each text or binary cell of ``column``; 0 for cells of other types."""
    pyarrow: Any = importlib.import_module("pyarrow")
    compute: Any = importlib.import_module("pyarrow.compute")
    if pyarrow.types.is_dictionary(column.type):
        held = _lengths(column.dictionary)
        return [0 if index is None else held[index] for index in column.indices.to_pylist()]
    if str(column.type).endswith("_view"):
        column = column.cast(pyarrow.large_binary())
    if not str(column.type).startswith(("string", "large_string", "binary", "large_binary")):
        return [0] * len(column)
    return [length or 0 for length in compute.binary_length(column).to_pylist()]


def _to_row(number: int, row: dict[str, object] | None, path_column: str) -> ManifestRow:
    if row is None:
        return ManifestRow(number, error=f"it has more than {MAX_CELL_LENGTH:,} bytes in a cell, or {MAX_ROW_LENGTH:,} in all")
    text = row.get(path_column)
    if isinstance(text, dict):  # the feature Image of Hugging Face datasets, without the bytes of the picture
        text = text.get("path")
    if isinstance(text, str):
        text = text.encode()
    if not text or not isinstance(text, bytes):
        return ManifestRow(number, error=f"{path_column} is missing, empty or not text")
    return ManifestRow(number, stored_in(row, path_column) + text, other_columns(row, path_column))
