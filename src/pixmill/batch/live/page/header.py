"""The header of the live page: progress, speed and remaining time."""

from collections.abc import Iterator

from pixmill.batch.progress.progress import ProgressSnapshot
from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import tiles
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.engine.ledger import FINISHED
from pixmill.engine.observability.metrics import MetricsSnapshot as Numbers

TENTHS = 10


def page_header(now: ProgressSnapshot, numbers: Numbers, destination: str) -> Html:
    """Return the title, a status sentence, the progress bar and the most important numbers."""
    total = plural(now.found, "image") + " found so far" if now.total is None else plural(now.total, "image")
    return tag(
        "header",
        tag("p", "pixmill live", class_="brand"),
        tag("h1", f"{now.finished:,} of {total} finished"),
        tag("p", "Outputs in ", tag("code", printable(destination))),
        tag("p", status_sentence(now, numbers), class_="state"),
        tag(
            "progress",
            max=100,
            value=_percent(now.share),
            aria_label="Finished images",
        ),
        tiles(_numbers(now, numbers)),
    )


def status_sentence(now: ProgressSnapshot, numbers: Numbers) -> str:
    """Return the status in one sentence: the rate and the remaining time, or the outcome."""
    if numbers.reason:
        failed = f"; {plural(now.failed, 'image')} failed" if now.failed else ""
        outcome = "Finished" if numbers.reason == FINISHED else f"Ended early: {safe_text(numbers.reason)}"
        return f"{outcome} after {duration_text(numbers.seconds)}{failed}."
    left = (
        "still discovering" if now.total is None else "" if now.remaining is None else f"about {duration_text(now.remaining)} left"
    )
    speed = f"{now.images_rate:.1f} images per second"
    return f"{left[:1].upper()}{left[1:]}; {speed}." if left else f"{speed}."


def tab_title(now: ProgressSnapshot, numbers: Numbers) -> str:
    """Return a title short enough for a browser tab: ``42%``."""
    if numbers.reason:
        return "finished" if numbers.reason == FINISHED else "ended early"
    return f"{now.finished:,} done" if now.share is None else f"{now.share:.0%}"


def aria_status(now: ProgressSnapshot, numbers: Numbers) -> str:
    """Return the text for screen readers. It changes at every 10%, at each new kind of failure, and at the end."""
    if numbers.reason:
        return status_sentence(now, numbers)
    share = 0.0 if now.share is None else now.share
    kinds = f" Failures: {', '.join(sorted(map(safe_text, numbers.failures)))}." if numbers.failures else ""
    return f"{int(share * TENTHS) * TENTHS}% finished.{kinds}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share * 100:.1f}"


def _numbers(now: ProgressSnapshot, numbers: Numbers) -> Iterator[tuple[str, str, str]]:
    yield "done", f"{now.done:,}", "good"
    if now.outputs > now.done:
        yield "outputs", f"{now.outputs:,}", ""
    yield "failed", f"{now.failed:,}", "bad" if now.failed else ""
    if now.skipped:
        yield "unchanged", f"{now.skipped:,}", ""
    pending = (now.found if now.total is None else now.total) - now.finished
    yield "pending", f"{pending:,}", ""
    bytes_in = numbers.measures.get("bytes_in", 0)
    yield "before", byte_count(bytes_in), ""
    yield "after", byte_count(numbers.measures.get("bytes_out", 0)), ""
    if bytes_in:
        yield "saved" if now.saved >= 0 else "added", f"{abs(now.saved) / bytes_in:.0%}", "good" if now.saved > 0 else ""
