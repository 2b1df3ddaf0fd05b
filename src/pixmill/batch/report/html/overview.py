"""The top of the page: what became of the images, and what was run where."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from pixmill.batch.report.data.shard_merge import run_name
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, terms, tiles
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.engine.ledger import FINISHED


def headline(dossier: ReportData) -> Html:
    """Return the title, one sentence on how it ended, and the numbers that matter most."""
    found = dossier.findings
    counts, state = found.counts, _state(dossier)
    saved = found.bytes_in - found.bytes_out
    numbers = [
        ("done", f"{counts.done:,}", "good"),
        ("failed", f"{counts.failed:,}", "bad" if counts.failed else ""),
        ("pending", f"{counts.pending:,}", "bad" if counts.pending else ""),
        ("in", byte_count(found.bytes_in), ""),
        ("out", byte_count(found.bytes_out), ""),
        ("saved" if saved >= 0 else "more", byte_count(abs(saved)), "good" if saved > 0 else ""),
    ]
    return tag(
        "header",
        tag("p", "pixmill report", class_="brand"),
        tag("h1", f"{plural(counts.found, 'image')} in {safe_text(dossier.destination)}"),
        tag("p", state, class_="state"),
        tiles(numbers),
    )


def what_was_run(dossier: ReportData) -> Section:
    """Return the command, the recipe, the versions, the machine, and the runs."""
    return section("What was run", terms(_facts(dossier)), _recipe(dossier), _runs(dossier), identity="run")


def _state(dossier: ReportData) -> str:
    counts, last = dossier.findings.counts, dossier.runs[-1] if dossier.runs else None
    if last is None:
        return "Nothing has run."
    if not last.ended_at:
        return "The last run is still going on, or was killed."
    if counts.pending or last.reason != FINISHED:
        return f"The last run ended early: {safe_text(last.reason)}. Run the same command again to go on."
    return "All of them are done." if not counts.failed else f"Finished; {plural(counts.failed, 'image')} failed."


def _facts(dossier: ReportData) -> Iterator[tuple[str, object]]:
    account = dossier.run_info
    if account is not None and account.command:
        yield "Command", tag("code", safe_text(" ".join(shlex.quote(safe_text(word)) for word in account.command)))
    if account is not None and account.makes:
        yield "Made of each image", tag("ul", [tag("li", safe_text(said)) for said in account.makes])
    yield "Source", tag("code", safe_text(dossier.source))
    yield "Destination", tag("code", safe_text(dossier.destination))
    if account is not None:
        machine = f"{account.system}, {plural(account.cores, 'core')}, {byte_count(account.memory)} of memory"
        yield "Versions", f"pixmill {account.version}, {account.engine}, Python {account.python}"
        yield "Machine", f"{machine}; {plural(account.snapshot.workers, 'worker')}"
    yield "Report made", _when(dossier.made_at)


def _recipe(dossier: ReportData) -> Html | None:
    if not dossier.recipe:
        return None
    return details("The recipe in full", tag("pre", json.dumps(dossier.recipe, indent=2), tabindex="0"))


def _runs(dossier: ReportData) -> Html | None:
    if not dossier.runs:
        return None
    listed = dossier.runs[-10:]
    sentences = [
        tag(
            "li",
            f"{run_name(run)}, {_when(run.started_at)}: "
            + (
                f"{safe_text(run.reason)} after {duration_text(run.ended_at - run.started_at)}"
                if run.ended_at
                else "still going on, or killed"
            )
            + f"; {run.counts.done:,} done, {run.counts.skipped:,} unchanged, {run.counts.failed:,} failed",
        )
        for run in reversed(listed)
    ]
    return details(f"{plural(len(dossier.runs), 'run')} until now", tag("ul", sentences))


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
