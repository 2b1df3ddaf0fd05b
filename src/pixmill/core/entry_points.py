"""Find the entry points that installed packages declare, without the cost of searching for them where there are none.

``importlib.metadata`` takes as long to import as a small image to process, for a search that usually finds nothing.
"""

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

METADATA = (".dist-info", ".egg-info")  # the folders that describe installed packages
UNUSUAL = ".egg"  # has its description inside
FILE = "entry_points.txt"


def entry_points(group: str) -> "dict[str, EntryPoint]":
    """Return the entry points of ``group`` by name, with ``_`` in place of ``-``."""
    if not _may_declare(group):
        return {}
    from importlib import metadata  # noqa: PLC0415  # see above

    return {point.name.replace("-", "_"): point for point in metadata.entry_points(group=group)}


def _may_declare(group: str) -> bool:
    declared = [_declarations(folder or ".", _version(folder or ".")) for folder in dict.fromkeys(sys.path)]
    return any(text is None or group in text for text in declared)


def _version(folder: str) -> int:
    """Return the time of the last change of ``folder``; 0 if it does not exist."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116  # pathlib costs more than the call
    except OSError:
        return 0


@cache
def _declarations(folder: str, version: int) -> str | None:
    """Return what the packages in ``folder`` declare; ``None`` if that is not known, as in an archive."""
    if not version:
        return ""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # names are enough
    except OSError:
        return None
    if any(name.endswith(UNUSUAL) for name in names) or folder.endswith(UNUSUAL):
        return None
    return "".join(_text(os.path.join(folder, name, FILE)) for name in names if name.endswith(METADATA))  # noqa: PTH118  # as above


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:
        return ""
