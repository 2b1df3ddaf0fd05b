"""Saved bytes: sizes before and after, by format, and the images that grew."""

from collections.abc import Iterator

from pixmill.batch.report.data.statistics import TENTHS, LedgerStatistics
from pixmill.batch.report.html.charts import Bar, columns
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, plural


def sizes(data: ReportData) -> Section | None:
    """Return the comparison of bytes in and bytes out."""
    statistics = data.statistics
    if not statistics.outputs:
        return None
    saved = statistics.bytes_in - statistics.bytes_out
    share = f" ({abs(saved) / statistics.bytes_in:.0%})" if statistics.bytes_in else ""
    verb = "saved" if saved >= 0 else "added"
    about = f"{byte_count(statistics.bytes_in)} became {byte_count(statistics.bytes_out)}: {byte_count(abs(saved))} {verb}{share}."
    formats = [
        (name, f"{total.count:,}", byte_count(total.size), byte_count(total.size / total.count))
        for name, total in sorted(statistics.formats.items())
    ]
    listed = table("Outputs by format", ("format", "outputs", "bytes", "mean"), formats)
    return section(
        "Size", tag("p", about), _distribution(statistics), listed, _grown(statistics), _notes(statistics), identity="sizes"
    )


def _distribution(statistics: LedgerStatistics) -> Html | None:
    total = sum(statistics.shares)
    if not total:
        return None
    names = [f"up to {(index + 1) * TENTHS} %" for index in range(TENTHS)] + ["larger than the source"]
    bars = [
        Bar((count, 0) if index < TENTHS else (0, count), f"{name}: {plural(count, 'image')}")
        for index, (name, count) in enumerate(zip(names, statistics.shares, strict=True))
    ]
    label = "Number of images by output size, in steps of 10 % of the source size; the last column is images that grew"
    chart = columns(bars, label=label, unit="", ends=("up to 10 % of the source size", "grew"))
    rows = [(name, f"{count:,}") for name, count in zip(names, statistics.shares, strict=True)]
    numbers = details("Data", table("Images by output size", ("output size", "images"), rows))
    return tag("div", tag("figure", chart), numbers)


def _grown(statistics: LedgerStatistics) -> Html | None:
    if not statistics.grown:
        return None
    rows = [
        (
            safe_text(image.key),
            byte_count(image.bytes_in),
            byte_count(image.bytes_out),
            _growth(image.bytes_in, image.bytes_out),
        )
        for image in statistics.grew_most.members
    ]
    shown = "" if statistics.grown == len(rows) else f"; the {len(rows)} that grew most"
    advice = tag(
        "p", "--never-bigger keeps the source file if the output would be larger and otherwise unchanged.", class_="advice"
    )
    caption = f"{plural(statistics.grown, 'image')} with an output larger than its source{shown}"
    return tag("div", table(caption, ("image", "in", "out", "growth"), rows), advice)


def _growth(before: int, after: int) -> str:
    return f"{byte_count(after - before)} ({(after - before) / before:.0%})"


def _notes(statistics: LedgerStatistics) -> Html | None:
    if not statistics.notes:
        return None
    return table("Dropped or ignored content", ("note", "images"), _note_rows(statistics))


def _note_rows(statistics: LedgerStatistics) -> Iterator[tuple[object, ...]]:
    for note, count in statistics.notes.most_common():
        yield safe_text(note), f"{count:,}"
