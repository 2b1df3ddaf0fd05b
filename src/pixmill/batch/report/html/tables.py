"""Tables, definition lists, tiles and details: the components of every section."""

from collections.abc import Iterable, Sequence

import msgspec

from pixmill.batch.report.html.markup import Html, tag


class Section(msgspec.Struct, frozen=True):
    """A section of the page with a heading, linked as ``#identity``."""

    identity: str
    title: str
    html: Html


def section(title: str, *children: object, identity: str) -> Section:
    """Return a section with ``children``."""
    heading = tag("h2", title, id=f"{identity}-title")
    return Section(identity, title, tag("section", heading, *children, id=identity, aria_labelledby=f"{identity}-title"))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """Return a table whose first column names the row. The others are numbers, unless the column's name begins with a space."""
    texts = [index == 0 or column.startswith(" ") for index, column in enumerate(columns)]
    head = [
        tag("th", column.strip(), scope="col", class_=None if text else "n") for column, text in zip(columns, texts, strict=True)
    ]
    body = [
        tag("tr", [_cell(index, cell, text) for index, (cell, text) in enumerate(zip(row, texts, strict=True))]) for row in rows
    ]
    inner = tag("table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=caption)


def definitions(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return a definition list of pairs of a term and its meaning."""
    return tag("dl", [(tag("dt", term), tag("dd", meaning)) for term, meaning in pairs])


def tiles(entries: Iterable[tuple[str, str, str]]) -> Html:
    """Return the most important numbers, each given as name, value and tone: ``good``, ``bad`` or empty."""
    return tag("dl", [_tile(name, value, tone) for name, value, tone in entries], class_="tiles")


def details(summary: object, *children: object, is_open: bool = False) -> Html:
    """Return collapsible content; it is printed open."""
    return tag("details", tag("summary", summary), *children, open=is_open)


def _tile(name: str, value: str, tone: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", value, data_value=name), class_=f"tile {tone}".strip())


def _cell(index: int, cell: object, is_text: bool) -> Html:  # noqa: FBT001  # passed with its column
    return tag("th", cell, scope="row") if index == 0 else tag("td", cell, class_=None if is_text else "n")
