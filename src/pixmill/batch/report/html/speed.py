"""How fast it was, over time and by stage, and which images took longest."""

from collections.abc import Iterator

from pixmill.batch.report.data.shard_merge import run_name
from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.data.timeline import Part
from pixmill.batch.report.html.charts import Bar, columns, shares
from pixmill.batch.report.html.markup import join, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.batch.report.time_breakdown import QUEUE, advice, time_breakdown
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.engine.ledger import RunRecord
from pixmill.engine.observability.metrics import MetricsSnapshot


def throughput(dossier: ReportData) -> Section | None:
    """Return images a second over the last run that worked on any."""
    line = dossier.findings.timeline
    if not line.parts:
        return None
    total = sum(part.done + part.failed for part in line.parts)
    length = _length(dossier.run) or len(line.parts) * line.width
    words = f"{run_name(dossier.run)}: {plural(total, 'image')} in {duration_text(length)}, {total / length:.1f} a second"
    bars = [Bar((part.done / line.width, part.failed / line.width), _words(part, line.width)) for part in line.parts]
    chart = columns(bars, label=f"Images a second over time. {words}.", unit="", ends=("start", duration_text(length)))
    rows = [(duration_text(part.begins), part.done, part.failed) for part in line.parts]
    numbers = details("The numbers", table("Images that ended in each part of the run", ("from", "done", "failed"), rows))
    key = [
        tag("li", tag("span", class_=f"key part{index}", aria_hidden="true"), name) for index, name in enumerate(("done", "failed"))
    ]
    about = tag("p", f"{words}.")
    return section("Throughput", about, tag("figure", chart, tag("ul", key, class_="keys")), numbers, identity="throughput")


def stages(dossier: ReportData) -> Section | None:
    """Return where the workers' time went."""
    snapshot = dossier.run_info.snapshot if dossier.run_info else None
    if snapshot is None or not snapshot.stages:
        return None
    spent = time_breakdown(snapshot.stages, workers=snapshot.workers, seconds=snapshot.seconds)
    about = (
        f"{run_name(dossier.run)}: {plural(snapshot.workers, 'worker')} for {duration_text(snapshot.seconds)}, of which computing "
        f"{spent.computing:.0%}, reading and writing {spent.input_output:.0%}, waiting {spent.waiting:.0%}."
    )
    chart = shares(list(spent.shares.items()), label="Share of each stage in the time of the workers")
    sentence = advice(spent)
    advised = tag("p", sentence, class_="advice") if sentence else None
    columns_named = ("stage", "images", "total", "mean", "half within", "95 % within", "longest")
    numbers = table("Time of each stage", columns_named, _stage_rows(snapshot))
    return section("Where the time went", tag("p", about), advised, chart, numbers, identity="stages")


def extremes(dossier: ReportData) -> Section | None:
    """Return the slowest and the largest images."""
    found = dossier.findings
    if not found.slowest.members:
        return None
    named = ("image", "time", "in", "out")
    slowest = table("The slowest images", named, map(_row, found.slowest.members))
    largest = table("The largest images", named, map(_row, found.largest.members))
    return section("Slowest and largest", join([slowest, largest]), identity="extremes")


def _length(run: RunRecord | None) -> float:
    """Return the seconds that ``run`` took, 0 when it has not ended."""
    return run.ended_at - run.started_at if run is not None and run.ended_at else 0.0


def _row(picture: ImageSummary) -> tuple[object, ...]:
    return safe_text(picture.key), f"{picture.seconds:.2f} s", byte_count(picture.bytes_in), byte_count(picture.bytes_out)


def _stage_rows(snapshot: MetricsSnapshot) -> Iterator[tuple[object, ...]]:
    """Yield the stages in the order of their total; the queue, which is nobody's work, at the end."""
    ordered = sorted(snapshot.stages.items(), key=lambda entry: (entry[0] == QUEUE, -entry[1].total))
    for stage, timing in [*ordered, ("whole image", snapshot.task)]:
        quantiles = (timing.mean, timing.quantile(0.5), timing.quantile(0.95), timing.longest)
        yield stage, f"{timing.count:,}", duration_text(timing.total), *(_short(seconds) for seconds in quantiles)


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _words(part: Part, width: float) -> str:
    failed = f", {part.failed:,} failed" if part.failed else ""
    return f"from {duration_text(part.begins)}: {(part.done + part.failed) / width:.1f} images/s{failed}"
