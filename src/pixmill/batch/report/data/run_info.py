"""The run info: data about a run that the ledger does not store. The command, the versions, the machine and the final metrics.

One file per run in the folder ``runs`` of the state, updated while the run is in progress, so that a run that was killed has
one too. It is a convenience: no other part of pixmill depends on it.
"""

import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import msgspec

import pixmill
from pixmill.batch.item import REJECTED
from pixmill.batch.state import state_folder
from pixmill.batch.state.location import RUN_FILE_INTERVAL, RUNS
from pixmill.core.events import Event, Observer
from pixmill.core.operating_system import physical_memory
from pixmill.core.validation import DECODE_ERRORS
from pixmill.engine.observability.metrics import FailureKind, Metrics, MetricsSnapshot
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.sandbox import gaps
from pixmill.imaging.version import ENGINE

MAX_RUN_FILES = 20  # files; the oldest are removed
_NAME = re.compile(r"[0-9]+\.json")


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The stored information about one run. ``command`` is as the shell passed it, empty if a program started the run.

    ``folder`` is the working directory, to which the paths in the command are relative; empty if it does not exist any more.
    ``makes`` describes the outputs of each image in words. ``unconfined`` is what the kernel could not refuse to workers.
    ``other_images`` are the images that were ignored because their kind is not read, by kind.
    """

    command: tuple[bytes, ...] = ()
    folder: bytes = b""
    makes: tuple[str, ...] = ()
    version: str = ""
    engine: str = ""
    python: str = ""
    system: str = ""
    cores: int = 0
    memory: int = 0
    unconfined: tuple[str, ...] = ()
    other_images: dict[str, FailureKind] = {}
    snapshot: MetricsSnapshot = MetricsSnapshot()


class RunInfoFile(IgnoresUnchanged, Observer):
    """Writes the run info with ``metrics`` to ``folder``, in a state folder. It must come after ``metrics`` among the observers.

    A run that only finds finished images writes no file. Write errors are ignored: a full disk is reported elsewhere.
    """

    def __init__(
        self,
        folder: Path,
        metrics: Metrics,
        command: Sequence[str] = (),
        *,
        makes: tuple[str, ...] = (),
        other_images: Mapping[str, FailureKind] = MappingProxyType({}),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write nothing yet. ``other_images`` are those that were ignored so far, by kind."""
        self._state, self._name = folder.parent, folder.name
        self._metrics = metrics
        self._other_images = other_images
        self._run_info = current_run_info(command, makes)
        self._clock = clock
        self._next = clock() + RUN_FILE_INTERVAL

    def on_event(self, event: Event) -> None:  # noqa: ARG002  # any event is an opportunity to check the clock
        """Write the file if it is due."""
        now = self._clock()
        if now >= self._next:
            self._next = now + RUN_FILE_INTERVAL
            self._write()

    def close(self) -> None:
        """Write the final file, and remove the oldest ones."""
        self._write()
        with suppress(OSError), state_folder.opened(self._state, self._name) as (folder, _):
            for name in sorted(filter(_NAME.fullmatch, os.listdir(folder)))[:-MAX_RUN_FILES]:  # noqa: PTH208  # of a descriptor
                os.unlink(name, dir_fd=folder)

    def _write(self) -> None:
        snapshot = self._metrics.snapshot()
        if not (snapshot.tried or snapshot.left_alone):
            return
        data = msgspec.json.encode(
            msgspec.structs.replace(self._run_info, snapshot=snapshot, other_images=dict(self._other_images))
        )
        with suppress(OSError):
            state_folder.make_within(self._state, self._name)
            state_folder.write(self._state, f"{self._name}/{snapshot.run:08}.json", data)


def run_infos(state: Path) -> Iterator[RunInfo]:
    """Yield the run infos below the folder ``state``, newest first; unreadable ones are left out."""
    names: list[str] = []
    with suppress(OSError), state_folder.opened(state, RUNS) as (folder, _):
        names = sorted(filter(_NAME.fullmatch, os.listdir(folder)), reverse=True)  # noqa: PTH208  # of a descriptor
    for name in names:
        with suppress(OSError, *DECODE_ERRORS):
            yield msgspec.json.decode(state_folder.read(state, f"{RUNS}/{name}"), type=RunInfo)


def last_work(state: Path) -> RunInfo | None:
    """Return the info of the last run that tried an image; ``None`` if there is none."""
    return next((run_info for run_info in run_infos(state) if run_info.snapshot.tried), None)


def unconfined(states: Iterable[Path]) -> tuple[str, ...]:
    """Return what could not be refused to the workers of the last run of any of the ``states``."""
    latest = filter(None, map(last_work, states))
    return tuple(dict.fromkeys(right for info in latest for right in info.unconfined))


def left_alone(state: Path, run: int, reason: str) -> tuple[int, tuple[bytes, ...]]:
    """Return how many images the run with the number ``run`` left alone for this ``reason``, and the first few of them."""
    latest = next(run_infos(state), None)
    if latest is None or latest.snapshot.run != run:
        return 0, ()
    return latest.snapshot.left_alone.get(reason, 0), latest.snapshot.left_alone_keys.get(reason, ())


def rejected(state: Path, run: int) -> dict[str, int]:
    """Return how many images the run with the number ``run`` found that had been or were rejected, by reason."""
    latest = next(run_infos(state), None)
    if latest is None or latest.snapshot.run != run:
        return {}
    counts = latest.snapshot.left_alone.items()
    return {reason.removeprefix(REJECTED): count for reason, count in counts if reason.startswith(REJECTED)}


def current_run_info(command: Sequence[str], makes: tuple[str, ...] = ()) -> RunInfo:
    """Return the information about a run on this machine that is available before it begins."""
    return RunInfo(
        command=tuple(map(os.fsencode, command)),
        folder=_working_directory(),
        makes=makes,
        version=pixmill.__version__,
        engine=ENGINE.partition(" ")[2],
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} on {platform.machine()}",
        cores=usable_cores(),
        memory=physical_memory(),
        unconfined=gaps(),
    )


def _working_directory() -> bytes:
    try:
        return os.fsencode(Path.cwd())
    except OSError:  # it was removed
        return b""
