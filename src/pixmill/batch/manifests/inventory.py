"""S3 Inventory: the lists of the objects of a bucket that S3 writes every day or week, and the ``manifest.json`` that names them.

Source: *Locating your inventory list* and *Amazon S3 Inventory list* in the Amazon S3 User Guide. The lists are CSV files without a
header, compressed by gzip, in which keys are percent-encoded, or Parquet files, in which they are not.
"""

import csv
import gzip
import importlib
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from pixmill.core.errors import ConfigError, MissingExtra
from pixmill.core.text import printable
from pixmill.core.validation import DECODE_ERRORS

OLD_VERSION, DELETE_MARKER = "old-version", "delete-marker"
_BATCH_ROWS = 1000
_ARN = re.compile(r"arn:[^:]*:s3:::(.+)")
#: the columns in Parquet files, by their names in CSV files
_PARQUET_NAMES = {
    "Bucket": "bucket",
    "Key": "key",
    "Size": "size",
    "ETag": "e_tag",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
}


class ListFile(msgspec.Struct, frozen=True):
    """A list that an inventory consists of: its ``key`` in the destination bucket."""

    key: str
    checksum: str = msgspec.field(name="MD5checksum", default="")


class InventoryManifest(msgspec.Struct, frozen=True, rename="camel"):
    """The content of ``manifest.json``: the bucket that the inventory is of, the one that it is in, and its lists."""

    source_bucket: str
    destination_bucket: str
    file_format: str
    file_schema: str
    files: tuple[ListFile, ...]

    @property
    def destination(self) -> str:
        """Return the name of the bucket that the lists are in, which is given as an ARN."""
        match = _ARN.fullmatch(self.destination_bucket)
        return match[1] if match else self.destination_bucket

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns of a CSV file, in order."""
        return [name.strip() for name in self.file_schema.split(",")]


class ListedObject(msgspec.Struct, frozen=True):
    """A row: an object with its size in bytes and its ETag; ``ignored`` says why it is none that can be read now, else empty."""

    key: str
    size: int
    etag: str
    ignored: str = ""


def parse(content: bytes, *, shown: str) -> InventoryManifest:
    """Return what ``manifest.json`` says; ``ConfigError`` if it is not that of an inventory, or of one that cannot be read."""
    try:
        manifest = msgspec.json.decode(content, type=InventoryManifest)
    except DECODE_ERRORS as error:
        raise ConfigError(f"{shown} is not the manifest of an S3 Inventory: {error}") from None
    if manifest.file_format not in ("CSV", "Parquet"):
        raise ConfigError(
            f"{shown} is of an inventory in the format {printable(manifest.file_format)}, which pixmill does not read",
            hint="choose CSV or Parquet in the configuration of the inventory",
        )
    missing = [name for name in ("Bucket", "Key", "Size", "ETag") if not _has(manifest, name)]
    if missing:
        raise ConfigError(
            f"{shown} is of an inventory without {', '.join(missing)}",
            hint="add Size and ETag to the configuration of the inventory",
        )
    return manifest


def _has(manifest: InventoryManifest, name: str) -> bool:
    if manifest.file_format == "CSV":
        return name in manifest.columns
    return re.search(rf"\b{_PARQUET_NAMES[name]}\b", manifest.file_schema) is not None


def rows(manifest: InventoryManifest, content: bytes, *, shown: str) -> Iterator[ListedObject]:
    """Yield the rows of one list; ``ConfigError`` if it is damaged, or names another bucket."""
    read = _csv_rows(manifest.columns, content) if manifest.file_format == "CSV" else _parquet_rows(content)
    number = 0
    try:
        for number, row in enumerate(read, 1):
            if row["Bucket"] != manifest.source_bucket:
                raise ConfigError(f"{shown}, row {number}: it is in the bucket {printable(str(row['Bucket']))}")
            yield _listed(row)
    except (OSError, EOFError, zlib.error, csv.Error, KeyError, ValueError) as error:
        raise ConfigError(f"{shown} cannot be read after row {number}: {error}") from None


def _listed(row: dict[str, Any]) -> ListedObject:
    key, size, etag = str(row["Key"]), int(row["Size"] or 0), str(row["ETag"] or "").strip('"')
    if _is(row.get("IsDeleteMarker"), "true"):
        return ListedObject(key, 0, etag, DELETE_MARKER)
    return ListedObject(key, size, etag, OLD_VERSION if _is(row.get("IsLatest"), "false") else "")


def _is(value: object, expected: str) -> bool:
    return str(value).lower() == expected


def _csv_rows(names: list[str], content: bytes) -> Iterator[dict[str, Any]]:
    with gzip.open(io.BytesIO(content)) as file, io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="") as text:
        for values in csv.reader(text, strict=True):
            if values:
                row: dict[str, Any] = dict(zip(names, values, strict=False))
                row["Key"] = unquote_plus(row["Key"], errors="surrogateescape")
                yield row


def _parquet_rows(content: bytes) -> Iterator[dict[str, Any]]:
    try:
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra("parquet", "an inventory in Parquet") from None
    try:
        file: Any = parquet.ParquetFile(pyarrow.BufferReader(content))
        present = {field.name for field in file.schema_arrow}
        wanted = {name: column for name, column in _PARQUET_NAMES.items() if column in present}
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted.values())):
            for row in batch.to_pylist():
                yield {name: row[column] for name, column in wanted.items()}
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from None
