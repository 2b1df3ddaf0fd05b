"""How help is laid out: as wide as the terminal up to a width that reads well, with headings and names set off on a terminal."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pixmill.cli.console import Channel

DEFAULT_WIDTH = 80  # columns where there is no terminal
MAX_WIDTH, MIN_WIDTH = 100, 50
GAP = 2  # columns between a name and its description at least
HEADING, NAME, END = "\x1b[1m", "\x1b[36m", "\x1b[0m"
CODE = re.compile("``(.*?)``", re.DOTALL)
NO_BREAK = "\N{NO-BREAK SPACE}"


class Layout(msgspec.Struct, frozen=True):
    """The width of lines in columns, and whether headings are bold and names coloured."""

    width: int = DEFAULT_WIDTH
    is_coloured: bool = False

    def heading(self, text: str) -> str:
        """Return the heading ``text``."""
        return f"{HEADING}{text}{END}" if self.is_coloured else text

    def name(self, text: str) -> str:
        """Return ``text`` as the name of what is described beside it."""
        return f"{NAME}{text}{END}" if self.is_coloured else text

    def fill(self, paragraph: str) -> str:
        """Return ``paragraph`` in lines; what is marked as code stays on one line if it fits, without its marks."""
        text = CODE.sub(lambda code: NO_BREAK.join(code[1].split()), " ".join(paragraph.split()))
        return textwrap.fill(text, self.width, break_on_hyphens=False, break_long_words=False).replace(NO_BREAK, " ")

    def entry(self, name: str, text: str, column: int) -> Iterator[str]:
        """Yield ``name`` with ``text`` beside it from ``column`` on, or below it if ``name`` is too long."""
        lines = textwrap.wrap(text, self.width - column, break_on_hyphens=False) or [""]
        shown = name.replace(name.strip(), self.name(name.strip()))
        if len(name) + GAP > column:
            yield shown
        else:
            yield f"{shown}{' ' * (column - len(name))}{lines.pop(0)}".rstrip()
        yield from (" " * column + line for line in lines)

    def command_line(self, line: str) -> Iterator[str]:
        r"""Yield the ``line`` of an example, continued with a ``\`` where it is wider than the terminal."""
        current = " "
        for word in line.split():
            if len(current) + len(word) + len(" x \\") > self.width and current.strip():
                yield f"{current} \\"
                current = " " * 5
            current += f" {word}"
        yield current

    def section(self, title: str, lines: Iterable[str]) -> Iterator[str]:
        """Yield ``lines`` below their ``title``; nothing if there are none."""
        body = list(lines)
        if body:
            yield "\n".join([self.heading(f"{title}:"), *body])


def layout_of(channel: Channel, environment: Mapping[str, str]) -> Layout:
    """Return the layout of what is written to ``channel``.

    ``NO_COLOR`` turns colours off, and so does ``TERM=dumb`` on a terminal that has none; ``FORCE_COLOR`` turns them on, also where
    there is no terminal.
    """
    width = channel.width
    if environment.get("NO_COLOR"):
        is_coloured = False
    elif environment.get("FORCE_COLOR", "0") not in ("", "0"):
        is_coloured = True
    else:
        is_coloured = channel.isatty() and environment.get("TERM", "dumb") not in ("dumb", "unknown")
    return Layout(DEFAULT_WIDTH if width is None else max(MIN_WIDTH, min(width, MAX_WIDTH)), is_coloured)
