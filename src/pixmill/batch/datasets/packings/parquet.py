"""``parquet://``: shards as tables that contain the images, one row for each rendition. Needs the extra ``parquet``."""

import json
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from pixmill.batch.datasets.packing import Packing, ShardReader, ShardWriter
from pixmill.batch.datasets.sample import Sample, additions, captured_at, look
from pixmill.core.errors import MissingExtra, ReadError
from pixmill.core.text import printable

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE, FORMER_IMAGE = "image", "bytes"  # the columns of the images, and of their bytes in shards of version 1
ROW_GROUP_SIZE = 32_000_000  # bytes of images in one row group: the amount that a reader has in memory at a time


def schema() -> "pa.Schema":
    r"""Return the columns of a shard.

    ``image`` is laid out, and described in the metadata, as the feature ``Image`` of Hugging Face ``datasets``. ``source`` and
    ``key`` are text; bytes in them that are not UTF-8 are written as ``\xff``. ``columns`` is a JSON object: the other columns of
    the manifest row that named the source. ``captured_at`` is by the clock of the camera, so it has no time zone. ``caption`` is
    null if the dataset has no captions.
    """
    import pyarrow as pa  # noqa: PLC0415  # an extra

    text, number = pa.string(), pa.int32()
    known = {"format": text, "width": number, "height": number, "hash": text, "source": text, "columns": text}
    optional = {"thumbhash": text, "dominant_color": text, "dhash": text, "captured_at": pa.timestamp("s")}
    optional |= {"original_width": number, "original_height": number, "sha256": text}
    fields = [
        *(pa.field(name, text, nullable=False) for name in ("key", "rendition")),
        pa.field(IMAGE, pa.struct([("bytes", pa.binary()), ("path", text)])),
        pa.field("caption", text),
        *(pa.field(name, kind, nullable=False) for name, kind in known.items()),
        *(pa.field(name, kind) for name, kind in optional.items()),
    ]
    features = {IMAGE: {"_type": "Image"}}  # the types of the other columns say enough
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


class ParquetWriter(ShardWriter):
    """Appends rows to a table. A position is a row number."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin a table, without compression, which does not help with images, and without statistics of the image bytes."""
        from pyarrow import parquet  # noqa: PLC0415  # an extra

        self._schema = schema()
        searched = ["key", "source", "width", "height"]
        self._table = parquet.ParquetWriter(
            file, self._schema, compression="none", use_dictionary=["format", "rendition", "columns"], write_statistics=searched
        )
        self._rows: list[dict[str, Any]] = []
        self._size = 0
        self._count = 0

    def add(self, sample: Sample, contents: Sequence[bytes]) -> Sequence[int]:
        """Append one row for each member of ``sample``."""
        first = self._count
        for member, content in zip(sample.members, contents, strict=True):
            self._rows.append(
                {
                    "key": _text(sample.key),
                    "rendition": member.rendition,
                    IMAGE: {"bytes": content, "path": _text(member.name)},
                    "format": member.format,
                    "width": member.width,
                    "height": member.height,
                    "hash": member.digest.hex(),
                    "source": _text(sample.source),
                    "columns": sample.columns.decode() or "{}",
                    **{name: value or None for name, value in look(member).items()},
                    **additions(sample),
                    "captured_at": _time(captured_at(sample).get("captured_at", "")),
                }
            )
            self._size += len(content)
        self._count += len(contents)
        if self._size >= ROW_GROUP_SIZE:
            self._flush()
        return range(first, self._count)

    def close(self) -> None:
        """Write the last rows and the footer."""
        if self._rows:
            self._flush()
        self._table.close()

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415  # an extra

        self._table.write_table(pa.Table.from_pylist(self._rows, schema=self._schema), row_group_size=len(self._rows))
        self._rows, self._size = [], 0


class ParquetReader(ShardReader):
    """Reads the images of a table, one row group at a time."""

    def __init__(self, path: Path) -> None:
        """Open the table."""
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow import parquet  # noqa: PLC0415

        self._path = path
        self._read_errors = (OSError, pa.ArrowException)
        try:
            self._file = parquet.ParquetFile(path)
        except self._read_errors as error:
            raise ReadError(f"{printable(path)} could not be read: {error}") from error
        counts = [self._file.metadata.row_group(index).num_rows for index in range(self._file.num_row_groups)]
        self._groups = [(index, row) for index, count in enumerate(counts) for row in range(count)]
        self._loaded_group = -1
        self._images: Any = None

    def read(self, position: int, size: int) -> bytes:
        """Return the image in row ``position``."""
        try:
            group, row = self._groups[position]
            if group != self._loaded_group:
                self._images = self._read_images(group)
                self._loaded_group = group
            content: bytes = self._images[row].as_py()
        except (*self._read_errors, IndexError) as error:
            raise ReadError(f"{printable(self._path)} could not be read: {error}") from error
        if len(content) != size:
            raise ReadError(f"{printable(self._path)} has a different image in row {position}")
        return content

    def _read_images(self, group: int) -> Any:  # noqa: ANN401  # a column of bytes
        if FORMER_IMAGE in self._file.schema_arrow.names:
            return self._file.read_row_group(group, columns=[FORMER_IMAGE]).column(0)
        (images,) = self._file.read_row_group(group, columns=[f"{IMAGE}.bytes"]).column(0).flatten()
        return images

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Parquet(Packing):
    """Tables of images."""

    suffix: ClassVar = ".parquet"
    position_name: ClassVar = "row"
    version: ClassVar = 3

    @classmethod
    def check(cls) -> None:
        """Raise ``MissingExtra`` if pyarrow is not installed."""
        if find_spec("pyarrow") is None:
            raise MissingExtra("parquet", "writing Parquet")

    @classmethod
    def writer(cls, file: BinaryIO) -> ParquetWriter:
        """Return a writer of a table to ``file``."""
        return ParquetWriter(file)

    @classmethod
    def reader(cls, path: Path) -> ParquetReader:
        """Open the table at ``path``."""
        return ParquetReader(path)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
