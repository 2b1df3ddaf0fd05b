"""When outputs may have come into a destination without being noted: while a run was at work that did not end by itself.

A worker gives an output its name before the ledger hears of it. What was killed in between left a file that is pixmill's, although
no record says so. The next run takes such a file for its own by its change time. Clocks of file servers may differ by seconds.
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
    """Return when the ledger in ``state`` was last written to, in seconds since the epoch; 0 where there is none.

    To be asked for before the ledger is opened.
    """
    return max((_changed(state / name) for name in (LEDGER, f"{LEDGER}-wal")), default=0.0)


def unrecorded(runs: Iterable[RunRecord], state: Path, *, committed: float) -> tuple[Span, ...]:
    """Return the spans of those of ``runs`` that did not end by themselves, in nanoseconds since the epoch.

    A killed run noted no end: its account, or for the last one the ledger, which was last written to at ``committed``, tells when
    it was still at work.
    """
    cut_short = [run for run in runs if run.reason != FINISHED]
    return tuple(
        _span(run.started_at, run.ended_at or max(_last_sign(run, state), committed if run is cut_short[-1] else 0.0))
        for run in islice(reversed(cut_short), _MAX_SPANS)
    )


def _last_sign(run: RunRecord, state: Path) -> float:
    written = _changed(state / RUNS / f"{run.number:08}.json")
    return max(run.started_at, written + RUN_FILE_INTERVAL if written else 0.0)


def _span(begin: float, end: float) -> Span:
    return int((begin - _SLACK) * _NANOSECONDS), int((end + _SLACK) * _NANOSECONDS)


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
