"""The summary at the end of a run: counts, failures, times, and suggested next commands."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, chain, repeat

import msgspec

from pixmill.batch.config.hints import Hints, arguments_of, command_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.ignored import UNSUPPORTED, kinds_text, pattern_warnings, remark_on
from pixmill.batch.report.summary import Report
from pixmill.batch.report.time_breakdown import advice, time_breakdown
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.engine.task import Failure

MARGIN = " " * 10  # below the labels
#: explanations of the reasons for skipping an image
SKIPPED = {
    "exists": "a file that pixmill did not write already has the name of the output",
    OUTPUT_CHANGED: "an output was changed since pixmill wrote it, and is left as it is",
}
MIN_SHARE = 0.005  # of the time; smaller shares are left out


def plain_report(report: Report) -> dict[str, object]:
    """Return the fields of ``report`` for one JSON record."""
    counts = {"found": report.counts.found, **msgspec.structs.asdict(report.counts)}
    computed = {"bytes_saved": report.bytes_saved, "exit_code": report.exit_code}
    return {**msgspec.structs.asdict(report), "counts": counts, **computed}


def summary(report: Report, config: RunConfig, hints: Hints) -> Iterator[str]:
    """Yield the lines of the summary; ``hints`` are those of its failures."""
    yield f"found     {plural(report.counts.found, 'image')}"
    arguments = command_arguments(config.destination, config.placement.state)
    yield from results(report, lambda code: hints.of(code, arguments))
    yield from _advice(report, config)


def watch_summary(report: Report, config: RunConfig) -> Iterator[str]:
    """Yield the lines of the summary of a watch, which waited for most of its time: what it did, not how fast it was."""
    counts = report.counts
    if not counts.found:
        yield "nothing arrived"
        return
    yield f"found     {plural(counts.found, 'image')}"
    yield from _outcomes(report, lambda _: ())
    if counts.failed:
        yield f"To list the failures: pixmill failures {arguments_of(config)}"
    yield (
        "To process the rest, and to go on watching, run the same command again."
        if counts.pending
        else ("To go on watching, run the same command again.")
    )


def results(report: Report, hints_of: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Yield the lines of the summary about the images that were found, and the time that they took.

    ``hints_of`` returns the hints for an error code.
    """
    yield from _outcomes(report, hints_of)
    yield f"time      {duration_text(report.seconds)}, {_rates(report)}"
    yield from _where_the_time_went(report)


def _outcomes(report: Report, hints_of: Callable[[str], Iterable[str]]) -> Iterator[str]:
    counts = report.counts
    yield f"done      {plural(counts.done, 'image')}" + (f", {_sizes(report)}" if counts.done else "")
    unchanged = counts.skipped - sum(report.left_alone.values())
    if unchanged:
        yield f"skipped   {plural(unchanged, 'image')}, already done and unchanged"
    for line in older_lines(report.older):
        yield f"older     {line}"
    for reason, count in sorted(report.left_alone.items()):
        yield from _left_alone(report, reason, count)
    if counts.failed:
        yield from _failures(report, hints_of)
    if counts.pending:
        yield f"pending   {plural(counts.pending, 'image')} of those found so far"
    if report.ignored:
        yield f"ignored   {_ignored(report)}"
    for sentence in pattern_warnings(report.patterns):
        yield f"unused    {sentence}"
    yield from _quality(report.scores)
    if report.notes:
        yield f"notes     {_counted(report.notes)}"
    if report.throttled:
        yield f"throttled {plural(report.throttled, 'time')} by a store; the affected images were retried later"


def older_lines(older: Mapping[str, int]) -> Iterator[str]:
    """Yield in one line which images other versions of libraries made that were kept."""
    if older:
        made_with = f"{plural(sum(older.values()), 'image')} made with {'; '.join(older)}"
        yield f"{made_with}: kept (to make them again: --on-upgrade remake)"


def single_summary(report: Report, config: RunConfig, failure: Failure | None) -> Iterator[str]:
    """Yield the summary of a run that writes one file: one line, and the hint for a ``failure``."""
    both = f"{config.source_text} -> {printable(config.destination)}"
    if failure is not None:
        yield f"failed    {config.source_text}: {failure.code}: {printable(failure.message)}"
        hints = Hints()
        hints.add(failure)
        command = f"pixmill run {shlex.join([*map(printable, config.sources), printable(config.destination)])}"
        for hint in hints.of(failure.code, "", retry=command):
            yield f"{MARGIN}{printable(hint)}"
    elif report.counts.done:
        yield f"done      {both}, {_sizes(report)}, in {duration_text(report.seconds)}"
    for reason in report.left_alone:
        yield f"skipped   {both}: {SKIPPED.get(reason, reason)}"
    if report.counts.pending:
        yield f"pending   {both}: run the same command again"


def _left_alone(report: Report, reason: str, count: int) -> Iterator[str]:
    keys = report.left_alone_keys.get(reason, ())
    more = ", ..." if count > len(keys) else ""
    names = f" ({', '.join(map(printable, keys))}{more})" if keys else ""
    yield f"skipped   {plural(count, 'image')}: {SKIPPED.get(reason, reason)}{names}"


def brief(failed: int, arguments: str) -> Iterator[str]:
    """Yield the summary of ``--quiet``: the number of failed images and the command that lists them; nothing if none failed.

    ``arguments`` is the result of ``command_arguments``.
    """
    if failed:
        yield f"{plural(failed, 'image')} failed: pixmill failures {arguments}"


def _sizes(report: Report) -> str:
    outputs = "" if report.outputs == report.counts.done else f"{plural(report.outputs, 'output')}, "
    share = f" ({abs(report.bytes_saved) / report.bytes_in:.0%})" if report.bytes_in else ""
    difference = f"{byte_count(abs(report.bytes_saved))} {'saved' if report.bytes_saved >= 0 else 'more'}{share}"
    return f"{outputs}{byte_count(report.bytes_in)} in, {byte_count(report.bytes_out)} out, {difference}"


def _failures(report: Report, hints_of: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Yield the failures by error code, most frequent first, each with the first few names and the hints."""
    yield f"failed    {plural(report.counts.failed, 'image')}{_remembered(report)}"
    for code, kind in sorted(report.failures.items(), key=lambda entry: (-entry[1].count, entry[0])):
        more = ", ..." if kind.count > len(kind.keys) else ""
        of_kinds = f": {kinds_text(kind.kinds)}" if kind.kinds else ""
        yield f"{MARGIN}{code}: {kind.count:,} ({', '.join(map(printable, kind.keys))}{more}){of_kinds}"
        for hint in hints_of(code):
            yield f"{MARGIN}  {printable(hint)}"


def _remembered(report: Report) -> str:
    """Return how many of the failed images failed in an earlier run and were not tried again, in words."""
    if not report.remembered:
        return ""
    if report.remembered < report.counts.failed:
        return f", {report.remembered:,} of them in an earlier run"
    return ", in an earlier run" if report.remembered == 1 else ", all of them in an earlier run"


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(numbers.items()))


def _quality(scores: Mapping[str, int]) -> Iterator[str]:
    """Yield the median and the lowest of ``scores``, if there are any; of an even number, the lower of the two in the middle."""
    if not scores:
        return
    total, ordered = sum(scores.values()), sorted(scores, key=float)
    ranks = accumulate(scores[score] for score in ordered)
    median = next(score for score, rank in zip(ordered, ranks, strict=True) if 2 * rank >= total)
    yield f"quality   {plural(total, 'output')}: median score {median}, lowest {ordered[0]}"


def _ignored(report: Report) -> str:
    parts = sorted(report.ignored.items())
    kinds = kinds_text({kind: images.count for kind, images in report.other_images.items()})
    remarks = {UNSUPPORTED: f" ({kinds})" if kinds else ""}
    return ", ".join(f"{reason}: {count:,}{remarks.get(reason) or remark_on(reason, report.patterns)}" for reason, count in parts)


def _rates(report: Report) -> str:
    pixels = report.pixels_in / report.seconds / 1e6 if report.seconds else 0.0
    return f"{report.rate:.1f} img/s, {pixels:.0f} MP/s"


def _where_the_time_went(report: Report) -> Iterator[str]:
    """Yield how the workers spent their time, the slowest images, and advice."""
    breakdown = time_breakdown(report.stages, workers=report.workers, seconds=report.seconds)
    if not breakdown.shares:
        return
    yield "spent     " + ", ".join(f"{stage} {share:.0%}" for stage, share in breakdown.shares.items() if share >= MIN_SHARE)
    io_and_waiting = f"reading and writing {breakdown.input_output:.0%}, waiting {breakdown.waiting:.0%}"
    yield f"{MARGIN}computing {breakdown.computing:.0%}, {io_and_waiting}"
    for label, slow in zip(chain(["slowest   "], repeat(MARGIN)), report.slowest, strict=False):
        yield f"{label}{slow.seconds:.2f} s  {printable(slow.key)}"
    if sentence := advice(breakdown):
        yield sentence


def _advice(report: Report, config: RunConfig) -> Iterator[str]:
    arguments = command_arguments(config.destination, config.placement.state)
    if report.left_alone.get(OUTPUT_CHANGED):
        yield f"To make changed outputs again: pixmill verify --repair {arguments}"
    if report.counts.failed:
        yield f"To list the failures: pixmill failures {arguments}"
        yield f"To retry them:        pixmill retry {arguments}"
    if not report.is_complete:
        yield "To resume, run the same command again."
