"""Speed over time and by stage, and the images that took longest."""

from collections.abc import Iterator

from pixmill.batch.report.data.shard_merge import run_name
from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.data.timeline import Part
from pixmill.batch.report.html.charts import Bar, columns, shares
from pixmill.batch.report.html.markup import join, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.batch.report.time_breakdown import DOWNLOAD, QUEUE, advice, time_breakdown
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.engine.ledger import RunRecord
from pixmill.engine.observability.metrics import MetricsSnapshot


def throughput(data: ReportData) -> Section | None:
    """Return the throughput over the last run that worked on images."""
    timeline = data.statistics.timeline
    if not timeline.parts:
        return None
    total = sum(part.done + part.failed for part in timeline.parts)
    seconds = _duration(data.run) or len(timeline.parts) * timeline.width
    summary = f"{run_name(data.run)}: {plural(total, 'image')} in {duration_text(seconds)}, {total / seconds:.1f} per second"
    bars = [
        Bar((part.done / timeline.width, part.failed / timeline.width), _bar_description(part, timeline.width))
        for part in timeline.parts
    ]
    chart = columns(
        bars, label=f"Images per second over time. {summary}.", unit="images per second", ends=("start", duration_text(seconds))
    )
    rows = [(duration_text(part.begins), part.done, part.failed) for part in timeline.parts]
    numbers = details(
        "Numbers", table("Images finished in each part of the run", ("from", "done", "failed"), rows, is_titled=False)
    )
    key = [
        tag("li", tag("span", class_=f"key part{index}", aria_hidden="true"), name) for index, name in enumerate(("done", "failed"))
    ]
    about = tag("p", f"{summary}.")
    figure = tag("figure", chart, tag("ul", key, class_="keys"))
    return section("Speed", about, figure, numbers, identity="throughput", is_folded=True)


def stages(data: ReportData) -> Section | None:
    """Return the breakdown of the workers' time."""
    snapshot = data.run_info.snapshot if data.run_info else None
    if snapshot is None or not snapshot.stages:
        return None
    breakdown = time_breakdown(snapshot.stages, workers=snapshot.workers, seconds=snapshot.seconds)
    about = (
        f"{run_name(data.run)}: {plural(snapshot.workers, 'worker')} for {duration_text(snapshot.seconds)}: "
        f"{breakdown.computing:.0%} computing, {breakdown.input_output:.0%} reading and writing, {breakdown.waiting:.0%} waiting."
    )
    chart = shares(list(breakdown.shares.items()), label="Share of each stage in the workers' time")
    sentence = advice(breakdown)
    advised = tag("p", sentence, class_="advice") if sentence else None
    columns_named = ("stage", "images", "total", "mean", "median", "95th percentile", "longest")
    numbers = table("Time of each stage", columns_named, _stage_rows(snapshot), is_titled=False)
    return section("Time by stage", tag("p", about), advised, chart, numbers, identity="stages", is_folded=True)


def extremes(data: ReportData) -> Section | None:
    """Return the slowest and the largest images."""
    statistics = data.statistics
    if not statistics.slowest.members:
        return None
    named = ("image", "time", "before", "after")
    slowest = table("Slowest images", named, map(_row, statistics.slowest.members))
    largest = table("Largest images", named, map(_row, statistics.largest.members))
    return section("Slowest and largest images", join([slowest, largest]), identity="extremes", is_folded=True)


def _duration(run: RunRecord | None) -> float:
    """Return the duration of ``run`` in seconds, 0 if it has not ended."""
    return run.ended_at - run.started_at if run is not None and run.ended_at else 0.0


def _row(image: ImageSummary) -> tuple[object, ...]:
    return safe_text(image.key), f"{image.seconds:.2f} s", byte_count(image.bytes_in), byte_count(image.bytes_out)


def _stage_rows(snapshot: MetricsSnapshot) -> Iterator[tuple[object, ...]]:
    """Yield the stages by total time; those in which no worker is busy come last."""
    ordered = sorted(snapshot.stages.items(), key=lambda entry: (entry[0] in (QUEUE, DOWNLOAD), -entry[1].total))
    for stage, timing in [*ordered, ("whole image", snapshot.task)]:
        quantiles = (timing.mean, timing.quantile(0.5), timing.quantile(0.95), timing.longest)
        yield stage, f"{timing.count:,}", duration_text(timing.total), *(_short_duration(seconds) for seconds in quantiles)


def _short_duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _bar_description(part: Part, width: float) -> str:
    failed = f", {part.failed:,} failed" if part.failed else ""
    return f"from {duration_text(part.begins)}: {(part.done + part.failed) / width:.1f} images/s{failed}"
