"""The page as a whole: its parts in order, its style and its few lines of script, and a policy that forbids all else."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

from pixmill.batch.report.dossier import Dossier
from pixmill.batch.report.html.album import album, similarity
from pixmill.batch.report.html.failures import failures
from pixmill.batch.report.html.markup import Html, inert, raw, tag
from pixmill.batch.report.html.overview import headline, what_was_run
from pixmill.batch.report.html.sizes import sizes
from pixmill.batch.report.html.speed import extremes, stages, throughput
from pixmill.batch.report.html.tables import Section

PARTS = (failures, album, similarity, sizes, throughput, stages, extremes, what_was_run)


def page(dossier: Dossier) -> str:
    """Return the report as an HTML document that needs nothing besides itself."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"pixmill: {inert(dossier.destination)}"),
        tag("style", raw(style)),
    )
    sections = [section for part in PARTS if (section := part(dossier))]
    main = tag("main", [section.html for section in sections])
    body = tag("body", headline(dossier), _contents(sections), main, tag("script", raw(script)))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _contents(sections: Iterable[Section]) -> Html:
    links = [tag("li", tag("a", section.title, href=f"#{section.identity}")) for section in sections]
    return tag("nav", tag("ul", links), aria_label="Parts of this report")


def _asset(name: str) -> str:
    return files("pixmill.batch.report").joinpath("assets", name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
