"""Charts as inline SVG: they print, follow the colours of the page, need no script, and have text alternatives."""

from collections.abc import Sequence

import msgspec

from pixmill.batch.report.html.markup import Html, tag

WIDTH, HEIGHT = 960, 100  # units of the drawing, which is stretched to the width of the page and a fixed height
GRID_LINES = 4  # lines above the base line


class Bar(msgspec.Struct, frozen=True):
    """One column: the heights of its parts from the bottom up, and its tooltip."""

    parts: tuple[float, ...]
    description: str


def columns(bars: Sequence[Bar], *, label: str, unit: str, ends: tuple[str, str]) -> Html:
    """Return a column chart of amounts in ``unit``; ``label`` is its text alternative, ``ends`` are the labels of both ends.

    The labels are text of the page beside the drawing, so that they keep their size on any screen.
    """
    highest = _round_up(max((sum(bar.parts) for bar in bars), default=0.0))
    step = WIDTH / max(1, len(bars))
    drawing = tag(
        "svg",
        [_grid_line(index / GRID_LINES) for index in range(GRID_LINES + 1)],
        [_column(bar, x=index * step, width=step, scale=HEIGHT / highest) for index, bar in enumerate(bars)],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )
    scale = [tag("li", f"{index / GRID_LINES * highest:g}") for index in reversed(range(GRID_LINES + 1))]
    return tag(
        "div",
        tag("p", unit, class_="unit"),
        tag("ul", scale, class_="scale", aria_hidden="true"),
        drawing,
        tag("p", tag("span", ends[0]), tag("span", ends[1]), class_="ends"),
        class_="chart",
    )


def bar(share: float, amount: str, *, is_bad: bool = False) -> Html:
    """Return a horizontal bar as long as ``share`` (0 to 1) of the width, followed by ``amount``."""
    drawn = tag("rect", width=f"{share:.1%}", height="100%", class_="part1" if is_bad else "part0")
    return tag("span", tag("svg", drawn, aria_hidden="true"), tag("span", amount), class_="bar")


def shares(parts: Sequence[tuple[str, float]], *, label: str) -> Html:
    """Return one bar across the page, divided by the shares (0 to 1) of the named ``parts``, with a key below."""
    pieces, keys, x = [], [], 0.0
    for index, (name, share) in enumerate(parts):
        colour = f"c{index % 8}"
        text = f"{name} {share:.1%}"
        pieces.append(tag("rect", tag("title", text), x=f"{x:.2f}", y=0, width=f"{share * WIDTH:.2f}", height=28, class_=colour))
        keys.append(tag("li", tag("span", class_=f"key {colour}", aria_hidden="true"), text))
        x += share * WIDTH
    drawn = tag("svg", pieces, viewBox=f"0 0 {WIDTH} 28", role="img", aria_label=label, preserveAspectRatio="none", class_="shares")
    return tag("figure", drawn, tag("ul", keys, class_="keys"))


def _column(bar: Bar, *, x: float, width: float, scale: float) -> Html:
    pieces, y = [], float(HEIGHT)
    for index, part in enumerate(bar.parts):
        y -= part * scale
        if part:
            size = {
                "x": f"{x + width * 0.08:.2f}",
                "y": f"{y:.2f}",
                "width": f"{width * 0.84:.2f}",
                "height": f"{part * scale:.2f}",
            }
            pieces.append(tag("rect", class_=f"part{index}", **size))
    return tag("g", tag("title", bar.description), pieces)


def _grid_line(share: float) -> Html:
    y = f"{(1 - share) * HEIGHT:.1f}"
    return tag("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="grid", vector_effect="non-scaling-stroke")


def _round_up(highest: float) -> float:
    """Round ``highest`` up to 1, 2, 4 or 8 times a power of ten, so that its quarters are short numbers."""
    if highest <= 0:
        return 1.0
    power = 1.0
    while power < highest:
        power *= 10
    while power / 10 >= highest:
        power /= 10
    return next(power / 10 * factor for factor in (1, 2, 4, 8, 10) if power / 10 * factor >= highest)
