"""The end of a run in words: what was found, what became of it, and what to do next."""

import shlex
from collections.abc import Iterator, Mapping
from itertools import chain, repeat

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.selection import enabling_option
from pixmill.batch.report.summary import Report
from pixmill.batch.report.time_breakdown import advice, time_breakdown
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable

MARGIN = " " * 10  # below the labels
#: what the reasons for skipping an image mean
SKIPPED = {"exists": "a file that pixmill did not write has the name of the output"}
MENTIONED = 0.005  # share of the time


def plain_report(report: Report) -> dict[str, object]:
    """Return ``report`` as the fields of one JSON record."""
    counts = {"found": report.counts.found, **msgspec.structs.asdict(report.counts)}
    computed = {"bytes_saved": report.bytes_saved, "exit_code": report.exit_code}
    return {**msgspec.structs.asdict(report), "counts": counts, **computed}


def summary(report: Report, config: RunConfig, hints: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the summary; ``hints`` is the advice that came with each code of failure."""
    counts = report.counts
    yield f"found     {plural(counts.found, 'image')}"
    yield f"done      {plural(counts.done, 'image')}" + (f", {_sizes(report)}" if counts.done else "")
    unchanged = counts.skipped - sum(report.left_alone.values())
    if unchanged:
        yield f"skipped   {plural(unchanged, 'image')}, unchanged since they were done"
    for reason, count in sorted(report.left_alone.items()):
        yield f"skipped   {plural(count, 'image')}: {SKIPPED.get(reason, reason)}"
    if counts.failed:
        yield from _failures(report, hints)
    if counts.pending:
        yield f"pending   {plural(counts.pending, 'image')} of those found so far"
    if report.ignored:
        yield f"ignored   {_ignored(report.ignored)}"
    if report.notes:
        yield f"notes     {_counted(report.notes)}"
    if report.throttled:
        yield f"throttled {plural(report.throttled, 'time')} by a store; what it refused was tried again later"
    yield f"time      {duration_text(report.seconds)}, {_rates(report)}"
    yield from _where_the_time_went(report)
    yield from _advice(report, config)


def brief(failed: int, place: str) -> Iterator[str]:
    """Yield what ``--quiet`` leaves to be said: how many images failed, and where to read why; nothing when none has.

    ``place`` is as ``place_of`` has it.
    """
    if failed:
        yield f"{plural(failed, 'image')} failed: pixmill failures {place}"


def _sizes(report: Report) -> str:
    outputs = "" if report.outputs == report.counts.done else f"{plural(report.outputs, 'output')}, "
    share = f" ({abs(report.bytes_saved) / report.bytes_in:.0%})" if report.bytes_in else ""
    difference = f"{byte_count(abs(report.bytes_saved))} {'saved' if report.bytes_saved >= 0 else 'more'}{share}"
    return f"{outputs}{byte_count(report.bytes_in)} in, {byte_count(report.bytes_out)} out, {difference}"


def _failures(report: Report, hints: Mapping[str, str]) -> Iterator[str]:
    """Yield the failures by code, the most frequent first, each with the names of the first and what to do."""
    before = f", {report.remembered:,} of them before this run" if report.remembered else ""
    yield f"failed    {plural(report.counts.failed, 'image')}{before}"
    for code, kind in sorted(report.failures.items(), key=lambda entry: (-entry[1].count, entry[0])):
        more = ", ..." if kind.count > len(kind.keys) else ""
        yield f"{MARGIN}{code}: {kind.count:,} ({', '.join(map(printable, kind.keys))}{more})"
        if code in hints:
            yield f"{MARGIN}  {printable(hints[code])}"


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(numbers.items()))


def _ignored(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {count:,}{enabling_option(reason)}" for reason, count in sorted(numbers.items()))


def _rates(report: Report) -> str:
    pixels = report.pixels_in / report.seconds / 1e6 if report.seconds else 0.0
    return f"{report.rate:.1f} img/s, {pixels:.0f} MP/s"


def _where_the_time_went(report: Report) -> Iterator[str]:
    """Yield how the workers spent their time, which images took longest, and what could be done about it."""
    spent = time_breakdown(report.stages, workers=report.workers, seconds=report.seconds)
    if not spent.shares:
        return
    yield "spent     " + ", ".join(f"{stage} {share:.0%}" for stage, share in spent.shares.items() if share >= MENTIONED)
    yield f"{MARGIN}computing {spent.computing:.0%}, reading and writing {spent.input_output:.0%}, waiting {spent.waiting:.0%}"
    for label, slow in zip(chain(["slowest   "], repeat(MARGIN)), report.slowest, strict=False):
        yield f"{label}{slow.seconds:.2f} s  {printable(slow.key)}"
    if sentence := advice(spent):
        yield sentence


def _advice(report: Report, config: RunConfig) -> Iterator[str]:
    place = place_of(config.destination, config.placement.state)
    if report.counts.failed:
        yield f"Why images failed: pixmill failures {place}"
        yield f"To try them again: pixmill retry {place}"
    if not report.is_complete:
        yield "To go on from here, run the same command again."


def place_of(destination: str, state: str | None) -> str:
    """Return the words that lead a command to what was made in ``destination``, where the run had ``--state``."""
    where = f" --state {shlex.quote(printable(state))}" if state else ""
    return shlex.quote(printable(destination)) + where
