"""The live page as a document: the state when it is opened, and the script that keeps it up to date."""

from functools import cache

from pixmill.batch.live.page.cache import PageDelta
from pixmill.batch.live.page.sections import ORDER
from pixmill.batch.report.html.markup import Html, raw, tag
from pixmill.batch.report.html.page import asset, digest, document
from pixmill.batch.report.html.previews import enlarged

RELOAD_INTERVAL = 5  # seconds between two reloads of a browser without scripts
BEFORE_MAIN = ("head", "contents")  # the parts before the main element


def view(delta: PageDelta) -> str:
    """Return the page with the parts of ``delta``."""
    main = tag(
        "main",
        tag("p", delta.spoken, id="spoken", class_="unseen", role="status"),
        tag("p", id="lost", role="alert", class_="lost"),
        [_part(name, delta) for name in ORDER if name not in BEFORE_MAIN],
    )
    state = (tag("meta", name="pixmill-version", content=delta.version), tag("link", rel="icon", href="data:,"))
    body = (*(_part(name, delta) for name in BEFORE_MAIN), main, enlarged(), tag("script", raw(_script())))
    unscripted = tag("noscript", tag("meta", http_equiv="refresh", content=RELOAD_INTERVAL))
    return document(delta.title, *state, tag("style", raw(_style())), unscripted, body=body)


@cache
def policy() -> str:
    """Return the content security policy: the page may run its own script, and fetch data and images from its own server."""
    allowed = ("default-src 'none'", "img-src 'self' data:", "connect-src 'self'", f"style-src '{digest(_style())}'")
    closed = ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
    return "; ".join([*allowed, f"script-src '{digest(_script())}'", *closed])


def _part(name: str, delta: PageDelta) -> Html:
    return tag("div", raw(delta.parts.get(name, "")), data_part=name)


@cache
def _style() -> str:
    return asset("report.css") + asset("live.css")


@cache
def _script() -> str:
    return asset("report.js") + asset("live.js")
