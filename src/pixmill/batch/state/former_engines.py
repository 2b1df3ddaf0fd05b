"""The versions of libvips that made the outputs of ledgers of version 1, in which they were part of the ids."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.batch.state import state_folder
from pixmill.batch.state.location import RUNS
from pixmill.core.validation import DECODE_ERRORS
from pixmill.imaging.version import LIBVIPS

_REVISION = 2  # pixmill's own in ``ENGINE``, in all ids that contain one


class _RunInfo(msgspec.Struct):
    """Of a run info, only the version of libvips, such as ``libvips-8.18.7``."""

    engine: str = ""


def former_engines(state: Path) -> tuple[str, ...]:
    """Return the versions in ids: the present one, and those that the last runs below the folder ``state`` recorded."""
    recorded = []
    with suppress(OSError), state_folder.opened(state, RUNS) as (folder, _):
        for name in sorted(filter(_is_run_info, os.listdir(folder))):  # noqa: PTH208  # of a descriptor
            with suppress(OSError, *DECODE_ERRORS):
                recorded.append(msgspec.json.decode(state_folder.read(state, f"{RUNS}/{name}"), type=_RunInfo).engine)
    return tuple(f"{_REVISION} {engine}" for engine in dict.fromkeys((f"libvips-{LIBVIPS}", *filter(None, recorded))))


def _is_run_info(name: str) -> bool:
    return name.endswith(".json")
