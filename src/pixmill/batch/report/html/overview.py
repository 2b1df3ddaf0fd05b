"""The header of the page with the results, and the section about the run and its machine."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.data.shard_merge import run_name
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, command, definitions, details, section, tiles
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.engine.ledger import FINISHED

REASONS_SHOWN = 5


def headline(data: ReportData) -> Html:
    """Return the outcome in one sentence, the next command, and the most important numbers."""
    return tag(
        "header",
        tag("p", "pixmill report", class_="brand"),
        tag("h1", _outcome(data)),
        definitions(_what_was_made(data)),
        [tag("p", sentence, class_="state") for sentence in _state(data)],
        command(continuing) if (continuing := _continuing(data)) else None,
        tiles(_numbers(data)),
    )


def what_was_run(data: ReportData) -> Section:
    """Return the command, the recipe, the versions, the machine and the runs."""
    return section(
        "Command, versions and runs", definitions(_facts(data)), _recipe(data), _runs(data), identity="run", is_folded=True
    )


def _outcome(data: ReportData) -> str:
    counts = data.statistics.counts
    if counts.found and counts.done == counts.found:
        return f"All {plural(counts.found, 'image')} done" if counts.found > 1 else "The image is done"
    left = (f"{counts.failed:,} failed" if counts.failed else "", f"{counts.pending:,} pending" if counts.pending else "")
    return ", ".join(filter(None, [f"{counts.done:,} of {plural(counts.found, 'image')} done", *left]))


def _numbers(data: ReportData) -> Iterator[tuple[str, str, str]]:
    statistics = data.statistics
    counts, saved = statistics.counts, statistics.bytes_in - statistics.bytes_out
    yield "done", f"{counts.done:,}", "good"
    yield "failed", f"{counts.failed:,}", "bad" if counts.failed else ""
    yield "pending", f"{counts.pending:,}", "bad" if counts.pending else ""
    yield "before", byte_count(statistics.bytes_in), ""
    yield "after", byte_count(statistics.bytes_out), ""
    if statistics.bytes_in:
        yield "saved" if saved >= 0 else "added", f"{abs(saved) / statistics.bytes_in:.0%}", "good" if saved > 0 else ""
    if data.run is not None and data.run.ended_at:
        yield "duration", duration_text(data.run.ended_at - data.run.started_at), ""


def _other_images(run_info: RunInfo) -> Iterator[str]:
    """Yield the number of images of each kind, and the first few of them."""
    for kind, images in sorted(run_info.other_images.items()):
        more = ", ..." if images.count > len(images.keys) else ""
        yield f"{images.count:,} {kind}: {', '.join(map(safe_text, images.keys))}{more}"


def _state(data: ReportData) -> Iterator[str]:
    """Yield sentences about the last run, and about images whose outcome the numbers do not show."""
    last = data.runs[-1] if data.runs else None
    then = "To continue:" if _continuing(data) else "To continue, run the same command again."
    if last is None:
        yield "Nothing has run."
    elif not last.ended_at:
        yield f"The last run is in progress or was killed. {then}"
    elif data.statistics.counts.pending or last.reason != FINISHED:
        yield f"The last run ended early: {safe_text(last.reason)}. {then}"
    yield from filter(None, (_rejected(data), _changed_outputs(data)))


def _continuing(data: ReportData) -> str:
    """Return the command that continues the last run, empty if it has finished or the command is not known."""
    last, run_info = data.runs[-1] if data.runs else None, data.run_info
    if last is None or run_info is None or not run_info.command or run_info.snapshot.run != last.number:
        return ""
    if last.ended_at and last.reason == FINISHED and not data.statistics.counts.pending:
        return ""
    return _typed(run_info)


def _typed(run_info: RunInfo) -> str:
    """Return the command of a run, preceded by a change to the folder in which it was typed."""
    typed = shlex.join(map(printable, run_info.command))
    return f"cd {shlex.quote(printable(run_info.folder))} && {typed}" if run_info.folder else typed


def _rejected(data: ReportData) -> str:
    rejected = data.statistics.rejected
    if not rejected:
        return ""
    were = "was" if rejected.total() == 1 else "were"
    reasons = ", ".join(f"{safe_text(reason)} ({count:,})" for reason, count in rejected.most_common(REASONS_SHOWN))
    more = ", ..." if len(rejected) > REASONS_SHOWN else ""
    return f"{plural(rejected.total(), 'image')} of them {were} rejected: {reasons}{more}."


def _changed_outputs(data: ReportData) -> str:
    if not data.output_changed:
        return ""
    have = "has an output that was" if data.output_changed == 1 else "have outputs that were"
    more = ", ..." if data.output_changed > len(data.changed_examples) else ""
    names = ", ".join(map(safe_text, data.changed_examples))
    return f"{plural(data.output_changed, 'image')} {have} changed since, and left as they are: {names}{more}."


def _what_was_made(data: ReportData) -> Iterator[tuple[str, object]]:
    yield "Source", tag("code", printable(data.source))
    yield "Destination", tag("code", printable(data.destination))
    if data.run_info is not None and data.run_info.makes:
        yield "Outputs of each image", tag("ul", [tag("li", safe_text(output)) for output in data.run_info.makes])


def _facts(data: ReportData) -> Iterator[tuple[str, object]]:
    run_info = data.run_info
    if run_info is not None and run_info.command:
        yield "Command", command(_typed(run_info))
    if run_info is not None and run_info.other_images:
        yield "Ignored images of kinds that are not read", tag("ul", [tag("li", line) for line in _other_images(run_info)])
    if run_info is not None:
        machine = f"{run_info.system}, {plural(run_info.cores, 'core')}, {byte_count(run_info.memory)} of memory"
        yield "Versions", f"pixmill {run_info.version}, {run_info.engine}, Python {run_info.python}"
        yield "Machine", f"{machine}; {plural(run_info.snapshot.workers, 'worker')}"
    if data.older:
        made = (f"{plural(count, 'image')} made with {versions}" for versions, count in data.older.items())
        yield "Other versions", tag("ul", [tag("li", safe_text(each)) for each in made])
    yield "Report created", _when(data.made_at)


def _recipe(data: ReportData) -> Html | None:
    if not data.recipe:
        return None
    return details("Complete recipe", tag("pre", json.dumps(data.recipe, indent=2), tabindex="0"))


def _runs(data: ReportData) -> Html | None:
    if not data.runs:
        return None
    listed = data.runs[-10:]
    sentences = [
        tag(
            "li",
            f"{run_name(run)}, {_when(run.started_at)}: "
            + (
                f"{safe_text(run.reason)} after {duration_text(run.ended_at - run.started_at)}"
                if run.ended_at
                else "in progress or killed"
            )
            + f"; {run.counts.done:,} done, {run.counts.skipped:,} unchanged, {run.counts.failed:,} failed",
        )
        for run in reversed(listed)
    ]
    return details(f"{plural(len(data.runs), 'run')} so far", tag("ul", sentences))


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
