"""Tables, definition lists, tiles, details and commands: the components of every section."""

from collections.abc import Iterable, Sequence

import msgspec

from pixmill.batch.report.html.markup import Html, join, tag


class Section(msgspec.Struct, frozen=True):
    """A section of the page with a heading, linked as ``#identity``. A folded one shows its heading only, until it is opened."""

    identity: str
    title: str
    html: Html
    is_folded: bool = False


def section(title: str, *children: object, identity: str, is_folded: bool = False) -> Section:
    """Return a section with ``children``."""
    heading = tag("h2", title, id=f"{identity}-title")
    content = tag("details", tag("summary", heading), *children) if is_folded else join([heading, children])
    return Section(identity, title, tag("section", content, id=identity, aria_labelledby=f"{identity}-title"), is_folded)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, is_titled: bool = True) -> Html:
    """Return a table whose first column names the row. The others are numbers, unless the column's name begins with a space.

    On a narrow screen a row becomes a block in which each cell has the name of its column. The roles are given because browsers
    drop those of a table that is laid out in another way. Without ``is_titled``, only screen readers see the caption.
    """
    texts = [index == 0 or column.startswith(" ") for index, column in enumerate(columns)]
    names = [column.strip() for column in columns]
    head = [
        tag("th", name, scope="col", role="columnheader", class_=None if text else "n")
        for name, text in zip(names, texts, strict=True)
    ]
    body = [tag("tr", map(_cell, range(len(names)), row, names, texts), role="row") for row in rows]
    return tag(
        "table",
        tag("caption", caption, class_=None if is_titled else "unseen"),
        tag("thead", tag("tr", head, role="row"), role="rowgroup"),
        tag("tbody", body, role="rowgroup"),
        role="table",
    )


def command(text: str) -> Html:
    """Return a command to be pasted into a shell, which one click selects."""
    return tag("pre", tag("code", text), class_="command")


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


def _cell(index: int, cell: object, column: str, is_text: bool) -> Html:  # noqa: FBT001  # passed with its column
    if index == 0:
        return tag("th", cell, scope="row", role="rowheader")
    return tag("td", cell, class_=None if is_text else "n", role="cell", data_column=column)
