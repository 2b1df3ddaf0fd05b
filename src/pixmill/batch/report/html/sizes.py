"""Saved bytes: sizes before and after, by format, and the images that grew."""

from collections.abc import Iterator

from pixmill.batch.report.data.statistics import TENTHS, LedgerStatistics
from pixmill.batch.report.html.charts import bar
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, plural


def sizes(data: ReportData) -> Section | None:
    """Return the comparison of bytes in and bytes out."""
    statistics = data.statistics
    if not statistics.outputs:
        return None
    formats = [
        (name, f"{total.count:,}", byte_count(total.size), byte_count(total.size / total.count))
        for name, total in sorted(statistics.formats.items())
    ]
    listed = table("Outputs by format", ("format", "outputs", "bytes", "mean"), formats)
    return section(
        "Size",
        tag("p", _change(statistics)),
        _distribution(statistics),
        _grown(statistics),
        _notes(statistics),
        details("By format", listed),
        identity="sizes",
    )


def _change(statistics: LedgerStatistics) -> str:
    change = f"{byte_count(statistics.bytes_in)} became {byte_count(statistics.bytes_out)}"
    if not statistics.bytes_in:
        return f"{change}."
    saved = statistics.bytes_in - statistics.bytes_out
    return f"{change}: {byte_count(abs(saved))} {'saved' if saved >= 0 else 'added'} ({abs(saved) / statistics.bytes_in:.0%})."


def _distribution(statistics: LedgerStatistics) -> Html | None:
    total = sum(statistics.shares)
    if not total:
        return None
    most = max(statistics.shares)
    names = [f"{index * TENTHS} to {(index + 1) * TENTHS} %" for index in range(TENTHS)] + ["more than 100 %"]
    rows = [
        (name, bar(count / most, f"{count:,}", is_bad=index == TENTHS))
        for index, (name, count) in enumerate(zip(names, statistics.shares, strict=True))
        if count
    ]
    return table("Size of the outputs, in percent of the source's bytes", ("size", " images"), rows)


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
        "p",
        "With the option ",
        tag("code", "--never-bigger"),
        ", the run keeps the source file if the output would be larger and otherwise unchanged.",
        class_="advice",
    )
    caption = f"{plural(statistics.grown, 'image')} with an output larger than its source{shown}"
    return details(caption, advice, table(caption, ("image", "before", "after", "growth"), rows, is_titled=False))


def _growth(before: int, after: int) -> str:
    return f"{byte_count(after - before)} ({(after - before) / before:.0%})"


def _notes(statistics: LedgerStatistics) -> Html | None:
    if not statistics.notes:
        return None
    return table("Dropped or ignored content", ("note", "images"), _note_rows(statistics))


def _note_rows(statistics: LedgerStatistics) -> Iterator[tuple[object, ...]]:
    for note, count in statistics.notes.most_common():
        yield safe_text(note), f"{count:,}"
