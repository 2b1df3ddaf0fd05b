"""The images that failed: by class, each with what it means, what to do about it, and the first of its files."""

from collections.abc import Iterator

from pixmill.batch.report.data.statistics import ErrorClass
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.errors import PixmillError
from pixmill.core.humanize import plural
from pixmill.engine.task import Failure

OPEN = 3  # classes that are not folded


def failures(dossier: ReportData) -> Section | None:
    """Return every class of failures, the most frequent first."""
    errors = dossier.findings.errors
    if not errors:
        return None
    ordered = sorted(errors.items(), key=lambda entry: (-entry[1].count, entry[0]))
    classes = [_class(code, kind, is_open=index < OPEN) for index, (code, kind) in enumerate(ordered)]
    total = plural(sum(kind.count for kind in errors.values()), "image")
    about = tag("p", f"{total} failed. Once the cause is gone, ", tag("code", "pixmill retry DST"), " tries them again.")
    return section("Failures", about, classes, identity="failures")


def meaning(code: str) -> str:
    """Return what ``code`` means, as it is documented; the empty string for one that no error of pixmill has."""
    for error in _family(PixmillError):
        if code in error.codes:
            return _sentence(error.codes[code])
        if code == vars(error).get("code"):
            return (error.__doc__ or "").strip().splitlines()[0]
    return ""


def _class(code: str, kind: ErrorClass, *, is_open: bool) -> Html:
    hint = next((file.failure.hint for file in kind.files if file.failure.hint), "")
    advice = tag("p", "What to do: ", safe_text(hint), class_="advice") if hint else None
    rows = [
        (safe_text(file.key), safe_text(_told(file.failure)), safe_text(file.failure.stage), file.attempts) for file in kind.files
    ]
    shown = plural(kind.count, "image") if kind.count == len(rows) else f"the first {len(rows)} of {plural(kind.count, 'image')}"
    listed = table(f"{safe_text(code)}: {shown}", ("image", " what happened", " stage", "attempts"), rows)
    title = (tag("strong", safe_text(code)), " ", tag("span", f"{kind.count:,}", class_="count", data_code=safe_text(code)))
    return details(title, tag("p", meaning(code)) if meaning(code) else None, advice, listed, is_open=is_open)


def _told(failure: Failure) -> str:
    return f"{failure.message} (node {failure.node})" if failure.node else failure.message


def _family(error: type[PixmillError]) -> Iterator[type[PixmillError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
