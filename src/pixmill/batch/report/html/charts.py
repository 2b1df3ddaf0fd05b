"""Charts as inline SVG: they print, follow the colours of the page, need no script, and have text alternatives."""

from collections.abc import Sequence

import msgspec

from pixmill.batch.report.html.markup import Html, tag

WIDTH, HEIGHT = 960, 220  # units of the drawing, which is as wide as the page
LEFT, BOTTOM, TOP = 56, 26, 8
GRID_LINES = 4  # lines above the base line


class Bar(msgspec.Struct, frozen=True):
    """One column: the heights of its parts from the bottom up, and its tooltip."""

    parts: tuple[float, ...]
    description: str


def columns(bars: Sequence[Bar], *, label: str, unit: str, ends: tuple[str, str]) -> Html:
    """Return a column chart; ``label`` is its text alternative, ``ends`` are the labels below its first and last column."""
    highest = _round_up(max((sum(bar.parts) for bar in bars), default=0.0))
    plot_width, plot_height = WIDTH - LEFT, HEIGHT - BOTTOM - TOP
    step = plot_width / max(1, len(bars))
    drawn = [_column(bar, x=LEFT + index * step, width=step, scale=plot_height / highest) for index, bar in enumerate(bars)]
    return tag(
        "svg",
        [_grid_line(index / GRID_LINES, highest, unit) for index in range(GRID_LINES + 1)],
        drawn,
        tag("text", ends[0], x=LEFT, y=HEIGHT - 6),
        tag("text", ends[1], x=WIDTH, y=HEIGHT - 6, text_anchor="end"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
        class_="columns",
    )


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
    pieces, y = [], float(HEIGHT - BOTTOM)
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


def _grid_line(share: float, highest: float, unit: str) -> Html:
    y = HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    line = tag("line", x1=LEFT, x2=WIDTH, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
    return tag("g", line, tag("text", f"{share * highest:g}{unit}", x=LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end"))


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
