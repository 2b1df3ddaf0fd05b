"""The complete page: its sections in order, its style and short script, and a policy that forbids everything else."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

from pixmill.batch.report.html.failures import failures
from pixmill.batch.report.html.markup import Html, raw, safe_text, tag
from pixmill.batch.report.html.overview import headline, what_was_run
from pixmill.batch.report.html.previews import enlarged, previews_section, similarity
from pixmill.batch.report.html.sizes import sizes
from pixmill.batch.report.html.speed import extremes, stages, throughput
from pixmill.batch.report.html.tables import Section
from pixmill.batch.report.report_data import ReportData

#: what most readers look for first; the sections about speed and the run itself are folded
SECTIONS = (failures, previews_section, similarity, sizes, throughput, stages, extremes, what_was_run)


def page(data: ReportData) -> str:
    """Return the report as a self-contained HTML document."""
    style, script = asset("report.css"), asset("report.js")
    policy = f"default-src 'none'; img-src data:; style-src '{digest(style)}'; script-src '{digest(script)}'; base-uri 'none'"
    policy_tag = tag("meta", http_equiv="Content-Security-Policy", content=policy)
    sections = [section for part in SECTIONS if (section := part(data))]
    main = tag("main", [section.html for section in sections])
    body = (headline(data), contents(sections), main, enlarged(), tag("script", raw(script)))
    return document(safe_text(data.destination), policy_tag, tag("style", raw(style)), body=body)


def document(subject: str, *head: Html, body: Iterable[Html]) -> str:
    """Return a document about ``subject`` in the reader's preferred colour scheme."""
    elements = (
        tag("meta", charset="utf-8"),
        tag("meta", name="generator", content="pixmill"),
        *head,
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"pixmill: {subject}"),
    )
    return "<!doctype html>\n" + tag("html", tag("head", elements), tag("body", body), lang="en") + "\n"


def contents(sections: Iterable[Section]) -> Html:
    """Return links to the ``sections`` that are not folded."""
    links = [tag("li", tag("a", section.title, href=f"#{section.identity}")) for section in sections if not section.is_folded]
    return tag("nav", tag("ul", links), aria_label="Contents")


def asset(name: str) -> str:
    """Return the text of a style sheet or script that ships with pixmill."""
    return files("pixmill.batch.report").joinpath("assets", name).read_text("utf-8")


def digest(text: str) -> str:
    """Return the hash source of ``text`` for a content security policy."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
