"""The header of the page with the results, and the section about the run and its machine."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.data.shard_merge import run_name
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, definitions, details, section, tiles
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.engine.ledger import FINISHED

REASONS_SHOWN = 5


def headline(data: ReportData) -> Html:
    """Return the title, the outcome in one sentence, and the most important numbers."""
    statistics = data.statistics
    counts, state = statistics.counts, _state(data)
    saved = statistics.bytes_in - statistics.bytes_out
    numbers = [
        ("done", f"{counts.done:,}", "good"),
        ("failed", f"{counts.failed:,}", "bad" if counts.failed else ""),
        ("pending", f"{counts.pending:,}", "bad" if counts.pending else ""),
        ("in", byte_count(statistics.bytes_in), ""),
        ("out", byte_count(statistics.bytes_out), ""),
        ("saved" if saved >= 0 else "added", byte_count(abs(saved)), "good" if saved > 0 else ""),
    ]
    return tag(
        "header",
        tag("p", "pixmill report", class_="brand"),
        tag("h1", f"{plural(counts.found, 'image')} in {safe_text(data.destination)}"),
        tag("p", state, class_="state"),
        tiles(numbers),
    )


def what_was_run(data: ReportData) -> Section:
    """Return the command, the recipe, the versions, the machine and the runs."""
    return section("Run", definitions(_facts(data)), _recipe(data), _runs(data), identity="run")


def _other_images(run_info: RunInfo) -> Iterator[str]:
    """Yield the number of images of each kind, and the first few of them."""
    for kind, images in sorted(run_info.other_images.items()):
        more = ", ..." if images.count > len(images.keys) else ""
        yield f"{images.count:,} {kind}: {', '.join(map(safe_text, images.keys))}{more}"


def _state(data: ReportData) -> str:
    counts, last = data.statistics.counts, data.runs[-1] if data.runs else None
    if last is None:
        return "Nothing has run."
    if not last.ended_at:
        return "The last run is in progress or was killed."
    if counts.pending or last.reason != FINISHED:
        return f"The last run ended early: {safe_text(last.reason)}. Run the same command again to continue."
    end = "All images are done." if not counts.failed else f"Finished; {plural(counts.failed, 'image')} failed."
    return end + _rejected(data) + _changed_outputs(data)


def _rejected(data: ReportData) -> str:
    rejected = data.statistics.rejected
    if not rejected:
        return ""
    were = "was" if rejected.total() == 1 else "were"
    reasons = ", ".join(f"{safe_text(reason)} ({count:,})" for reason, count in rejected.most_common(REASONS_SHOWN))
    more = ", ..." if len(rejected) > REASONS_SHOWN else ""
    return f" {plural(rejected.total(), 'image')} of them {were} rejected: {reasons}{more}."


def _changed_outputs(data: ReportData) -> str:
    if not data.output_changed:
        return ""
    have = "has an output that was" if data.output_changed == 1 else "have outputs that were"
    more = ", ..." if data.output_changed > len(data.changed_examples) else ""
    names = ", ".join(map(safe_text, data.changed_examples))
    return f" {plural(data.output_changed, 'image')} {have} changed since, and left as they are: {names}{more}."


def _facts(data: ReportData) -> Iterator[tuple[str, object]]:
    run_info = data.run_info
    if run_info is not None and run_info.command:
        yield "Command", tag("code", safe_text(" ".join(shlex.quote(safe_text(word)) for word in run_info.command)))
    if run_info is not None and run_info.other_images:
        yield "Ignored images of kinds that are not read", tag("ul", [tag("li", line) for line in _other_images(run_info)])
    if run_info is not None and run_info.makes:
        yield "Outputs of each image", tag("ul", [tag("li", safe_text(output)) for output in run_info.makes])
    yield "Source", tag("code", safe_text(data.source))
    yield "Destination", tag("code", safe_text(data.destination))
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
