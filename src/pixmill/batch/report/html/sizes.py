"""What was saved: bytes before and after, by format, and the images that grew."""

from collections.abc import Iterator

from pixmill.batch.report.data.statistics import TENTHS, LedgerStatistics
from pixmill.batch.report.html.charts import Bar, columns
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, plural


def sizes(dossier: ReportData) -> Section | None:
    """Return bytes in against bytes out."""
    found = dossier.findings
    if not found.outputs:
        return None
    saved = found.bytes_in - found.bytes_out
    share = f" ({abs(saved) / found.bytes_in:.0%})" if found.bytes_in else ""
    verb = "saved" if saved >= 0 else "more than before"
    about = f"{byte_count(found.bytes_in)} became {byte_count(found.bytes_out)}: {byte_count(abs(saved))} {verb}{share}."
    formats = [
        (name, f"{total.count:,}", byte_count(total.size), byte_count(total.size / total.count))
        for name, total in sorted(found.formats.items())
    ]
    listed = table("Outputs by format", ("format", "outputs", "bytes", "mean"), formats)
    return section("Size", tag("p", about), _distribution(found), listed, _grown(found), _notes(found), identity="sizes")


def _distribution(found: LedgerStatistics) -> Html | None:
    total = sum(found.shares)
    if not total:
        return None
    names = [f"up to {(index + 1) * TENTHS} %" for index in range(TENTHS)] + ["more than the source"]
    bars = [
        Bar((count, 0) if index < TENTHS else (0, count), f"{name}: {plural(count, 'image')}")
        for index, (name, count) in enumerate(zip(names, found.shares, strict=True))
    ]
    label = "How many images have an output of up to 10 %, 20 % and so on of the bytes of their source; the last column grew"
    chart = columns(bars, label=label, unit="", ends=("up to 10 % of the source's bytes", "grew"))
    rows = [(name, f"{count:,}") for name, count in zip(names, found.shares, strict=True)]
    numbers = details("The numbers", table("Images by the size of their output", ("bytes of the output", "images"), rows))
    return tag("div", tag("figure", chart), numbers)


def _grown(found: LedgerStatistics) -> Html | None:
    if not found.grown:
        return None
    rows = [
        (
            safe_text(picture.key),
            byte_count(picture.bytes_in),
            byte_count(picture.bytes_out),
            _growth(picture.bytes_in, picture.bytes_out),
        )
        for picture in found.grew_most.members
    ]
    shown = "" if found.grown == len(rows) else f", the {len(rows)} that grew most"
    advice = tag("p", "--never-bigger keeps the source where nothing but its size would change.", class_="advice")
    caption = f"{plural(found.grown, 'image')} with an output larger than the source{shown}"
    return tag("div", table(caption, ("image", "in", "out", "more"), rows), advice)


def _growth(before: int, after: int) -> str:
    return f"{byte_count(after - before)} ({(after - before) / before:.0%})"


def _notes(found: LedgerStatistics) -> Html | None:
    if not found.notes:
        return None
    return table("What was dropped or ignored on the way", ("note", "images"), _note_rows(found))


def _note_rows(found: LedgerStatistics) -> Iterator[tuple[object, ...]]:
    for note, count in found.notes.most_common():
        yield safe_text(note), f"{count:,}"
