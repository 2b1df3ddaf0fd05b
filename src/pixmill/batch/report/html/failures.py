"""Failed images by error class, each with its meaning, advice and the first of its images."""

import re
import shlex
from collections.abc import Iterator

from pixmill.batch.report.data.statistics import ErrorClass, FailedFile
from pixmill.batch.report.html.markup import Html, join, safe_text, tag
from pixmill.batch.report.html.tables import Section, command, details, section, table
from pixmill.batch.report.report_data import ReportData
from pixmill.core.errors import PixmillError
from pixmill.core.humanize import plural
from pixmill.core.text import printable

OPEN_CLASSES = 3  # classes that are open at first
_WITH_COMMAND = re.compile(r"(?:(.*): )?((?:pixmill retry|pip install) .*)")


def failures(data: ReportData) -> Section | None:
    """Return all classes of failures, most frequent first, and the command that retries them."""
    errors = data.statistics.errors
    if not errors:
        return None
    ordered = sorted(errors.items(), key=lambda entry: (-entry[1].count, entry[0]))
    classes = [_class(data, code, kind, is_open=index < OPEN_CLASSES) for index, (code, kind) in enumerate(ordered)]
    total = plural(sum(kind.count for kind in errors.values()), "image")
    is_running = data.run is not None and not data.run.ended_at
    next_step = "When the run has ended and the causes are fixed, retry:" if is_running else "When the causes are fixed, retry:"
    about = (tag("p", f"{total} failed. {next_step}"), command(f"pixmill retry {data.arguments}"))
    return section("Failures", about, classes, identity="failures")


def meaning(code: str) -> str:
    """Return the documented meaning of ``code``; empty if it is not an error code of pixmill."""
    for error in _subclasses(PixmillError):
        if code in error.codes:
            return _sentence(error.codes[code])
        if code == vars(error).get("code"):
            return (error.__doc__ or "").strip().splitlines()[0]
    return ""


def _class(data: ReportData, code: str, kind: ErrorClass, *, is_open: bool) -> Html:
    about = meaning(code).removesuffix(".") or safe_text(code)
    title = (
        tag("span", f"{kind.count:,}", class_="count", data_code=safe_text(code)),
        " ",
        tag("strong", about),
        " ",
        tag("code", safe_text(code)),
    )
    advice = [_advice(hint) for hint in data.statistics.hints.of(code, data.arguments)]
    more = (
        (
            tag("p", f"These are the first {len(kind.files)} of {plural(kind.count, 'image')}. To list all of them:"),
            command(f"pixmill failures {data.arguments} --code {shlex.quote(printable(code))}"),
        )
        if kind.count > len(kind.files)
        else None
    )
    return details(title, advice, _files(about, kind), more, is_open=is_open)


def _advice(hint: str) -> Html:
    """Return a hint, with the command at its end, if there is one, as a command."""
    found = _WITH_COMMAND.fullmatch(hint)
    if not found:
        return tag("p", _capital(safe_text(hint)), class_="advice")
    condition = tag("p", f"{_capital(safe_text(found[1]))}:") if found[1] else None
    return tag("div", condition, command(printable(found[2])), class_="advice")


def _files(about: str, kind: ErrorClass) -> Html:
    """Return the failed images: their error once if it is the same for all of them."""
    messages = {_describe(file) for file in kind.files}
    if len(messages) == 1 and len(kind.files) > 1:
        names = [tag("li", safe_text(file.key)) for file in kind.files]
        return join([tag("p", safe_text(messages.pop())), tag("ul", names, class_="names")])
    rows = [(safe_text(file.key), safe_text(_describe(file))) for file in kind.files]
    return table(about, ("image", " error"), rows, is_titled=False)


def _describe(file: FailedFile) -> str:
    failure = file.failure
    where = f" (node {failure.node})" if failure.node else ""
    tries = f"; tried {file.attempts} times" if file.attempts > 1 else ""
    return f"{failure.message}{where}{tries}"


def _subclasses(error: type[PixmillError]) -> Iterator[type[PixmillError]]:
    yield error
    for child in error.__subclasses__():
        yield from _subclasses(child)


def _sentence(text: str) -> str:
    return _capital(text) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
