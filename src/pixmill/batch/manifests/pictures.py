"""Tables with pictures in them, as Parquet shards of datasets have: the column of the pictures, and what else a row says."""

import importlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.manifests.sidecars import without_description
from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.imaging.formats import kind_of
from pixmill.storage.archives.format import safe_name

BYTES, PATH = "bytes", "path"  # the fields of the feature Image of Hugging Face datasets
_KEYS = ("__key__", "key")
_USUAL_NAMES = ("image", "img", "jpg", "jpeg", "png", "webp")  # of the column, if there are several
_MAX_EXAMINED = 100  # rows without a picture before the first one
_BATCH_ROWS = 1000
_HEAD_BYTES = 64
_PLAIN_TYPES = ("string", "large_string", "string_view", "bool", "int", "uint", "float", "double", "halffloat", "date", "timestamp",
                "dictionary", "list", "large_list", "fixed_size_list", "struct")  # fmt: skip


class PictureRow(msgspec.Struct, frozen=True, gc=False):
    """The row ``number``, from 0, of a table with pictures: its ``path`` without a leading folder, and its ``columns`` as JSON."""

    number: int
    path: bytes
    columns: bytes


def picture_column(path: Path, requested: str | None = None) -> str | None:
    """Return the column of the Parquet file at ``path`` that holds pictures, as in ``image.bytes`` or ``jpg``.

    It is the one that is ``requested``, if that holds pictures. ``None`` if there is none, if the file is not Parquet, or if
    pyarrow is not installed.
    """
    try:
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        return None
    try:
        with parquet.ParquetFile(path) as file:
            found = {name.partition(".")[0]: name for name in _binary_columns(file.schema_arrow) if _has_pictures(file, name)}
    except (pyarrow.ArrowException, OSError):
        return None
    if requested in found:
        return found[requested]
    return next((found[name] for name in _USUAL_NAMES if name in found), next(iter(found.values()), None))


def read_rows(path: Path, column: str) -> Iterator[PictureRow]:
    """Yield the rows of the Parquet file at ``path``, whose pictures are in ``column``, which is not read.

    ``AddressError`` if the file is damaged.
    """
    pyarrow = importlib.import_module("pyarrow")
    try:
        yield from _rows(path, column)
    except (pyarrow.ArrowException, OSError) as error:
        raise AddressError(f"{printable(path)} cannot be read as Parquet: {error}") from None


def _rows(path: Path, column: str) -> Iterator[PictureRow]:
    parquet = importlib.import_module("pyarrow.parquet")
    top, _, inner = column.partition(".")
    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        kept = [field.name for field in schema if field.name != top and _is_plain(str(field.type))]
        has_path = inner == BYTES and PATH in [part.name for part in schema.field(top).type]
        wanted = [*kept, *([f"{top}.{PATH}"] if has_path else [])]
        digits = len(str(max(file.metadata.num_rows - 1, 0)))
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            for row in batch.to_pylist() if wanted else [{}] * batch.num_rows:
                stated = row.pop(top, None) if has_path else None
                yield PictureRow(number, _path(stated, row) or b"%0*d" % (digits, number), _columns(row))
                number += 1


def _binary_columns(schema: Any) -> Iterator[str]:  # noqa: ANN401  # a schema of pyarrow
    for field in schema:
        kind = str(field.type)
        if kind in ("binary", "large_binary", "binary_view"):
            yield field.name
        elif kind.startswith("struct") and any(part.name == BYTES and "binary" in str(part.type) for part in field.type):
            yield f"{field.name}.{BYTES}"


def _has_pictures(file: Any, column: str) -> bool:  # noqa: ANN401  # a file of pyarrow
    """Tell whether the first value of ``column`` is a picture: a list may have its paths in a column of bytes."""
    batches = file.iter_batches(batch_size=1, columns=[column], use_threads=False)
    for batch in islice(batches, _MAX_EXAMINED):
        value = batch.to_pylist()[0][column.partition(".")[0]]
        value = value and value[BYTES] if column.endswith(f".{BYTES}") else value
        if value:
            kind = kind_of(value[:_HEAD_BYTES])
            return kind is not None and kind.is_image
    return False


def _is_plain(kind: str) -> bool:
    return kind.startswith(_PLAIN_TYPES) and "binary" not in kind


def _path(stated: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bytes:
    """Return the path or the key that ``row`` states, below no other folder; empty if there is none that can be used."""
    texts = (stated and stated.get(PATH), *(row.get(name) for name in _KEYS))
    text = next((each for each in texts if each and isinstance(each, str)), "").encode("utf-8", "surrogateescape")
    try:
        return safe_name(text)
    except ReadError:  # of the machine that wrote it
        return text.rstrip(b"/").rpartition(b"/")[2].strip(b".").replace(b"\0", b"")


def _columns(row: Mapping[str, Any]) -> bytes:
    others = {name: value for name, value in without_description(row).items() if name not in _KEYS}
    return msgspec.json.encode(others) if others else b""
