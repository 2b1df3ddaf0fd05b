"""The time spans in which outputs may have been written without a record: those of runs that were cut short.

A worker renames an output to its final name before the ledger records it. A run killed in between leaves a file that pixmill wrote
but that is not in the ledger. The next run recognises such a file by its change time. Clocks of file servers may differ by seconds.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.location import RUN_FILE_INTERVAL, RUNS
from pixmill.engine.ledger import FINISHED, RunRecord

_SLACK = 2.0  # seconds
_MAX_SPANS = 100
_NANOSECONDS = 1_000_000_000

Span = tuple[int, int]


def last_commit(state: Path) -> float:
    """Return when the ledger in ``state`` was last written to, in seconds since the epoch; 0 if there is none.

    Must be called before the ledger is opened.
    """
    return max((_modified(state / name) for name in (LEDGER, f"{LEDGER}-wal")), default=0.0)


def unrecorded(runs: Iterable[RunRecord], state: Path, *, committed: float) -> tuple[Span, ...]:
    """Return the spans of those of ``runs`` that were cut short, in nanoseconds since the epoch.

    A killed run recorded no end: its run file shows when it was last active, and for the last run also the ledger, which was last
    written to at ``committed``.
    """
    cut_short = [run for run in runs if run.reason != FINISHED]
    return tuple(
        _span(run.started_at, run.ended_at or max(_last_activity(run, state), committed if run is cut_short[-1] else 0.0))
        for run in islice(reversed(cut_short), _MAX_SPANS)
    )


def _last_activity(run: RunRecord, state: Path) -> float:
    written = _modified(state / RUNS / f"{run.number:08}.json")
    return max(run.started_at, written + RUN_FILE_INTERVAL if written else 0.0)


def _span(begin: float, end: float) -> Span:
    return int((begin - _SLACK) * _NANOSECONDS), int((end + _SLACK) * _NANOSECONDS)


def _modified(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
