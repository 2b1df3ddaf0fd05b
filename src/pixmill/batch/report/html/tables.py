"""Tables, lists of terms, tiles and folds: the pieces that every part of the page is made of."""

from collections.abc import Iterable, Sequence

import msgspec

from pixmill.batch.report.html.markup import Html, tag


class Section(msgspec.Struct, frozen=True):
    """A part of the page under a heading, reachable as ``#identity``."""

    identity: str
    title: str
    html: Html


def section(title: str, *children: object, identity: str) -> Section:
    """Return the part of the page that holds ``children``."""
    heading = tag("h2", title, id=f"{identity}-title")
    return Section(identity, title, tag("section", heading, *children, id=identity, aria_labelledby=f"{identity}-title"))


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """Return a table whose first column names the row; the others are numbers, unless a column's name begins with a blank."""
    texts = [index == 0 or column.startswith(" ") for index, column in enumerate(columns)]
    head = [
        tag("th", column.strip(), scope="col", class_=None if text else "n") for column, text in zip(columns, texts, strict=True)
    ]
    body = [
        tag("tr", [_cell(index, cell, text) for index, (cell, text) in enumerate(zip(row, texts, strict=True))]) for row in rows
    ]
    inner = tag("table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=caption)


def terms(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return a list of terms and what they are."""
    return tag("dl", [(tag("dt", term), tag("dd", meaning)) for term, meaning in pairs])


def tiles(entries: Iterable[tuple[str, str, str]]) -> Html:
    """Return the numbers that matter most, each as name, value and mood: ``good``, ``bad`` or nothing."""
    return tag("dl", [_tile(name, value, mood) for name, value, mood in entries], class_="tiles")


def details(summary: object, *children: object, is_open: bool = False) -> Html:
    """Return something to be opened; it is printed open."""
    return tag("details", tag("summary", summary), *children, open=is_open)


def _tile(name: str, value: str, mood: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", value, data_value=name), class_=f"tile {mood}".strip())


def _cell(index: int, cell: object, is_text: bool) -> Html:  # noqa: FBT001  # beside its column
    return tag("th", cell, scope="row") if index == 0 else tag("td", cell, class_=None if is_text else "n")
