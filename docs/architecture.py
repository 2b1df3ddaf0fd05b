"""Draw the layers and rooms of the package into architecture.md, from its import graph.

Usage: ``python docs/architecture.py``. A test checks that the drawing is current. A name with a slash is a folder. Names on one
line do not import each other; each imports only from lines below its own, and from the layers below its layer.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from itertools import zip_longest
from pathlib import Path

import grimp

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- drawing: docs/architecture.py writes it -->\n", "<!-- end of drawing -->\n"
ROOT = "pixmill"
MAX_LINE = 78  # characters of a layer that is drawn alone; what does not fit goes on the next line
GAP = " │ "


def imports_between(graph: grimp.ImportGraph, parent: str) -> dict[str, set[str]]:
    """Return for each child of ``parent`` the siblings that it, or anything below it, imports."""
    children = graph.find_children(parent)
    owner = {module: child for child in children for module in (child, *graph.find_descendants(child))}
    found: dict[str, set[str]] = {child: set() for child in children}
    for module, child in owner.items():
        for imported in graph.find_modules_directly_imported_by(module):
            if owner.get(imported, child) != child:
                found[child].add(owner[imported])
    return found


def levels(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the names level by level, highest first: each on the lowest level that is above all it imports."""
    level: dict[str, int] = {}
    for name in TopologicalSorter(imports).static_order():
        level[name] = 1 + max((level[imported] for imported in imports[name]), default=-1)
    return [sorted(name for name in level if level[name] == height) for height in sorted(set(level.values()), reverse=True)]


def drawing(graph: grimp.ImportGraph) -> str:
    """Return the drawing: the layers from top to bottom, those of one level side by side, each with its own levels."""
    bands = [
        list(columns([layer_lines(graph, layer, alone=len(layers) == 1) for layer in layers]))
        for layers in levels(imports_between(graph, ROOT))
    ]
    width = max(len(line) for band in bands for line in band)
    rule = "─" * width
    return "\n".join(line for band in bands for line in (rule, *band)) + f"\n{rule}\n"


def layer_lines(graph: grimp.ImportGraph, layer: str, *, alone: bool) -> list[str]:
    """Return the lines of one layer: its name in capitals, then its levels, highest first."""
    lines = [layer.rpartition(".")[2].upper()]
    for names in levels(imports_between(graph, layer)):
        labels = [name.rpartition(".")[2] + ("/" if graph.find_children(name) else "") for name in names]
        lines.extend(wrapped(labels, MAX_LINE if alone else MAX_LINE // 2))
    return lines


def wrapped(labels: Iterable[str], width: int) -> Iterator[str]:
    """Yield ``labels`` on lines of at most ``width`` characters; lines after the first are indented."""
    line = " "
    for label in labels:
        if len(line) + 1 + len(label) > width:
            yield line
            line = "   "
        line += f" {label}"
    yield line


def columns(blocks: list[list[str]]) -> Iterator[str]:
    """Yield the lines of ``blocks`` side by side."""
    widths = [max(map(len, block)) for block in blocks]
    for row in zip_longest(*blocks, fillvalue=""):
        yield GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def page() -> str:
    """Return architecture.md with the current drawing."""
    before, found, after = PAGE.read_text().partition(BEGIN)
    _, found_end, after = after.partition(END)
    if not found or not found_end:
        message = f"{PAGE.name} has no place for the drawing: a line {BEGIN.strip()}, then a line {END.strip()}"
        raise SystemExit(message)
    graph = grimp.build_graph(ROOT, cache_dir=None)
    return f"{before}{BEGIN}\n```\n{drawing(graph)}```\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
