"""The index of an output: one JSON line per finished image, for other programs and for web pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import msgspec

from pixmill.batch.inspect.other_recipes import RecipeTest
from pixmill.batch.item import ImageResult, OutputRecord, unpack
from pixmill.batch.outputs.named_files import check_again
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.files import atomic_text_file, run_error_if_unwritable
from pixmill.engine.observability.json_lines import json_line
from pixmill.engine.task import State


class IndexedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """One output. ``path`` is relative to DST, ``digest`` the BLAKE2b-128 of its bytes in hex.

    ``thumbhash``, ``dominant_color`` and ``dhash`` are those of its ``Traits``, or ``None`` if it was made without an index.
    ``score``: what it scores by SSIMULACRA 2, or ``None`` if its quality was not searched for a score.
    """

    path: bytes
    width: int
    height: int
    bytes: int
    format: str
    rendition: str
    digest: str
    thumbhash: str | None = None
    dominant_color: str | None = None
    dhash: str | None = None
    score: float | None = None


class IndexedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an index: a source and its outputs.

    ``srcset``: for each format with several widths, the value of the HTML attribute of that name. ``columns``: the other columns
    of the source's row in a list, and those that steps have added. ``captured_at``: when the picture was taken, by the clock of the
    camera; ``None`` if that is not known.
    """

    source: bytes
    outputs: tuple[IndexedOutput, ...]
    notes: tuple[str, ...]
    srcset: dict[str, str]
    columns: dict[str, Any]
    captured_at: str | None = None


def entries(ledger: Ledger, is_of_recipe: RecipeTest | None = None) -> Iterator[IndexedImage]:
    """Yield one entry per finished image that ``is_of_recipe``, in order of path, in constant memory."""
    for record in ledger.records(State.DONE):
        result = unpack(record.result)
        if result.rejected:
            continue
        if is_of_recipe is None or is_of_recipe(record.key, result):
            yield _entry(record.key, result)


def write(ledger: Ledger, path: Path, is_of_recipe: RecipeTest | None = None) -> None:
    """Write the index of all finished images in ``ledger`` to ``path``, atomically; ``RunError`` if it cannot be written.

    Images that are not made by the present recipe are left out: their source is gone, and their outputs are as it was before.
    """
    check_again("--index", path, "index")
    with run_error_if_unwritable(path), atomic_text_file(path) as file:
        for entry in entries(ledger, is_of_recipe):
            file.write(json_line(entry) + "\n")


def _entry(source: bytes, result: ImageResult) -> IndexedImage:
    outputs = tuple(_output(record) for record in result.outputs)
    formats = dict.fromkeys(output.format for output in outputs)
    srcsets = {name: _srcset([output for output in outputs if output.format == name]) for name in formats}
    return IndexedImage(
        source=source,
        outputs=outputs,
        notes=result.notes,
        srcset={name: srcset for name, srcset in srcsets.items() if ", " in srcset},
        columns=msgspec.json.decode(columns) if (columns := result.all_columns) else {},
        captured_at=next((record.traits.captured_at or None for record in result.outputs if record.traits), None),
    )


def _output(record: OutputRecord) -> IndexedOutput:
    return IndexedOutput(
        path=record.name,
        width=record.width,
        height=record.height,
        bytes=record.size,
        format=record.format,
        rendition=record.rendition,
        digest=record.digest.hex(),
        thumbhash=record.traits.thumbhash if record.traits else None,
        dominant_color=(record.traits.dominant_color or None) if record.traits else None,
        dhash=record.traits.dhash if record.traits else None,
        score=record.score,
    )


def _srcset(outputs: list[IndexedOutput]) -> str:
    by_width = {output.width: output.path for output in outputs}
    return ", ".join(f"{quote_from_bytes(by_width[width])} {width}w" for width in sorted(by_width))
