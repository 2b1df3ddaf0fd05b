"""The account of a run: what the ledger does not keep. The command, the versions, the machine, and the numbers at the end.

One file a run in the folder ``runs`` of the state, brought up to date while the run goes on, so that a run that was killed has
one too. It is a convenience: no other part of pixmill depends on it.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import pixmill
from pixmill.core.events import Event, Observer
from pixmill.core.undecodable import UNDECODABLE
from pixmill.engine.cores import usable_cores
from pixmill.engine.metrics import Metrics, Snapshot
from pixmill.imaging.version import ENGINE

FOLDER = "runs"
KEPT = 20  # accounts; the oldest go
INTERVAL = 10.0  # seconds between two writes


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one run. ``command`` is as the shell gave it, empty when a program started the run."""

    command: tuple[bytes, ...] = ()
    version: str = ""
    engine: str = ""
    python: str = ""
    system: str = ""
    cores: int = 0
    memory: int = 0
    snapshot: Snapshot = Snapshot()


class AccountFile(Observer):
    """Keeps the account of a run of ``metrics`` in ``folder``. It comes after ``metrics`` among the observers.

    A run that worked on nothing leaves none, so that the account of the one that did the work stays the last. What cannot be
    written is not: a full disk has its own message.
    """

    def __init__(
        self, folder: Path, metrics: Metrics, command: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write nothing yet."""
        self._folder = folder
        self._metrics = metrics
        self._about = about_here(command)
        self._clock = clock
        self._next = clock() + INTERVAL

    def notice(self, event: Event) -> None:  # noqa: ARG002  # any event is an occasion to look at the clock
        """Write the account if it is time."""
        now = self._clock()
        if now >= self._next:
            self._next = now + INTERVAL
            self._write()

    def close(self) -> None:
        """Write the account as it is now, and forget the oldest."""
        self._write()
        with suppress(OSError):
            for path in sorted(self._folder.glob("[0-9]*.json"))[:-KEPT]:
                path.unlink()

    def _write(self) -> None:
        snapshot = self._metrics.snapshot()
        if not snapshot.tried:
            return
        data = msgspec.json.encode(msgspec.structs.replace(self._about, snapshot=snapshot))
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            temporary = self._folder / "next"  # the lock is ours: nobody else writes here, and what a dead run left is written over
            temporary.write_bytes(data)
            temporary.replace(self._folder / f"{snapshot.run:08}.json")


def accounts(state: Path) -> Iterator[Account]:
    """Yield the accounts below the folder ``state``, the youngest first; one that cannot be read is left out."""
    for path in sorted((state / FOLDER).glob("[0-9]*.json"), reverse=True):
        with suppress(OSError, *UNDECODABLE):
            yield msgspec.json.decode(path.read_bytes(), type=Account)


def about_here(command: Sequence[str]) -> Account:
    """Return what is known of a run on this machine before it begins."""
    return Account(
        command=tuple(map(os.fsencode, command)),
        version=pixmill.__version__,
        engine=ENGINE.partition(" ")[2],
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} on {platform.machine()}",
        cores=usable_cores(),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    )
