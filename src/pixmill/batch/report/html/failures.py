"""Failed images by error class, each with its meaning, advice and the first of its files."""

from collections.abc import Iterator

from pixmill.batch.report.data.statistics import ErrorClass
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.errors import PixmillError
from pixmill.core.humanize import plural
from pixmill.engine.task import Failure

OPEN_CLASSES = 3  # classes that are open at first


def failures(data: ReportData) -> Section | None:
    """Return all classes of failures, most frequent first."""
    errors = data.statistics.errors
    if not errors:
        return None
    ordered = sorted(errors.items(), key=lambda entry: (-entry[1].count, entry[0]))
    classes = [_class(code, kind, is_open=index < OPEN_CLASSES) for index, (code, kind) in enumerate(ordered)]
    total = plural(sum(kind.count for kind in errors.values()), "image")
    about = tag("p", f"{total} failed. After fixing the cause, retry with ", tag("code", "pixmill retry DST"), ".")
    return section("Failures", about, classes, identity="failures")


def meaning(code: str) -> str:
    """Return the documented meaning of ``code``; empty if it is not an error code of pixmill."""
    for error in _subclasses(PixmillError):
        if code in error.codes:
            return _sentence(error.codes[code])
        if code == vars(error).get("code"):
            return (error.__doc__ or "").strip().splitlines()[0]
    return ""


def _class(code: str, kind: ErrorClass, *, is_open: bool) -> Html:
    hint = next((file.failure.hint for file in kind.files if file.failure.hint), "")
    advice = tag("p", "Advice: ", safe_text(hint), class_="advice") if hint else None
    rows = [
        (safe_text(file.key), safe_text(_describe(file.failure)), safe_text(file.failure.stage), file.attempts)
        for file in kind.files
    ]
    shown = plural(kind.count, "image") if kind.count == len(rows) else f"first {len(rows)} of {plural(kind.count, 'image')}"
    listed = table(f"{safe_text(code)}: {shown}", ("image", " error", " stage", "attempts"), rows)
    title = (tag("strong", safe_text(code)), " ", tag("span", f"{kind.count:,}", class_="count", data_code=safe_text(code)))
    return details(title, tag("p", meaning(code)) if meaning(code) else None, advice, listed, is_open=is_open)


def _describe(failure: Failure) -> str:
    return f"{failure.message} (node {failure.node})" if failure.node else failure.message


def _subclasses(error: type[PixmillError]) -> Iterator[type[PixmillError]]:
    yield error
    for child in error.__subclasses__():
        yield from _subclasses(child)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
