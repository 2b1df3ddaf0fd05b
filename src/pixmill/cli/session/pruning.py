"""Print what ``prune`` and ``run --mirror`` remove."""

from collections.abc import Iterator

import msgspec

from pixmill.batch.pruning.result import (
    ADOPTED,
    CHANGED,
    NOT_IN_LIST,
    NOT_REQUESTED,
    OTHERS_NAME,
    SOURCE_GONE,
    UNCERTAIN_REQUEST,
    Part,
    PruneResult,
)
from pixmill.core.humanize import byte_count, plural
from pixmill.core.text import printable

SHOWN = 3  # names of each kind
REASONS = {
    SOURCE_GONE: "whose image is gone",
    NOT_IN_LIST: "whose image is not in the list",
    NOT_REQUESTED: "that the last run did not ask for any more",
    CHANGED: "changed since pixmill wrote it",
    OTHERS_NAME: "now the name of another image's output",
    ADOPTED: "that pixmill did not write, but adopted",
    UNCERTAIN_REQUEST: "of an earlier recipe, but the last run left images out or did not finish",
}


def plain_result(result: PruneResult) -> dict[str, object]:
    """Return the fields of ``result`` for one JSON record."""
    totals = {"images": result.images, "files": result.files, "bytes": result.bytes}
    return {"is_removed": result.is_removed, **totals, **msgspec.to_builtins(result)}


def result_lines(result: PruneResult) -> Iterator[str]:
    """Yield the lines that describe ``result``."""
    verb = "removed" if result.is_removed else "would remove"
    if result.images and not result.files:
        yield f"{verb} the records of {plural(result.images, 'image')} without outputs"
    elif result.images:
        of_all = f" of {plural(result.outputs, 'recorded output')}"
        yield f"{verb} {plural(result.files, 'file')}{of_all}, {byte_count(result.bytes)}, of {plural(result.images, 'image')}"
        for reason, part in result.removed.items():
            yield f"  {_part(part, reason)}"
    for reason, part in result.kept.items():
        yield f"kept {_part(part, reason)}"
    yield from (f"kept {remark}" for remark in result.remarks)


def _part(part: Part, reason: str) -> str:
    more = ", ..." if part.files > SHOWN else ""
    names = f": {', '.join(map(printable, part.first[:SHOWN]))}{more}" if part.first else ""
    return f"{plural(part.files, 'file')} {REASONS[reason]}{names}"
