"""The live page as a document: what is known when it is opened, and the script that keeps it so."""

from functools import cache

from pixmill.batch.live.page.cache import PageDelta
from pixmill.batch.live.page.sections import ORDER
from pixmill.batch.report.html.markup import Html, raw, tag
from pixmill.batch.report.html.page import asset, digest, document

SECONDS = 5  # between two looks of a browser that runs no script
ABOVE = ("head", "contents")  # what comes before the main part of the page


def view(change: PageDelta) -> str:
    """Return the page with all parts of ``change``."""
    main = tag(
        "main",
        tag("p", change.spoken, id="spoken", class_="unseen", role="status"),
        tag("p", id="lost", role="alert", class_="lost"),
        [_part(name, change) for name in ORDER if name not in ABOVE],
    )
    state = (tag("meta", name="pixmill-version", content=change.version), tag("link", rel="icon", href="data:,"))
    body = (*(_part(name, change) for name in ABOVE), main, tag("script", raw(_script())))
    unscripted = tag("noscript", tag("meta", http_equiv="refresh", content=SECONDS))
    return document(change.title, *state, tag("style", raw(_style())), unscripted, body=body)


@cache
def policy() -> str:
    """Return what the page may do: run its one script, ask the server that it came from, and show its pictures."""
    allowed = ("default-src 'none'", "img-src 'self' data:", "connect-src 'self'", f"style-src '{digest(_style())}'")
    closed = ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
    return "; ".join([*allowed, f"script-src '{digest(_script())}'", *closed])


def _part(name: str, change: PageDelta) -> Html:
    return tag("div", raw(change.parts.get(name, "")), data_part=name)


@cache
def _style() -> str:
    return asset("report.css") + asset("live.css")


@cache
def _script() -> str:
    return asset("report.js") + asset("live.js")
