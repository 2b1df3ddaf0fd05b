"""``Region``: the last lines of a terminal, redrawn in place."""

import os
from collections.abc import Mapping, Sequence

from pixmill.cli.console import Channel

# the rest of the screen is erased from the second column on: from the first one of the window, tmux moves the lines to its history
_ERASE_BELOW = "\r\x1b[2K\x1b[C\x1b[J\r"
_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Region:
    """Draws lines, and erases them before anything else is printed, also when the window has become narrower since.

    Most terminals then wrap the old lines, so that they take more rows. The cursor rests on the first column of the last line:
    where a terminal wraps, that column stays with its line. New lines are drawn without wrapping, because a terminal may tell its
    new width late (tmux after 250 ms): a frame drawn until then takes one row a line, which leaves as many old rows above it as
    it needs to take itself, so that the next frame erases the right number in either case.
    """

    def __init__(self, channel: Channel, *, environment: Mapping[str, str] | None = None) -> None:
        """Draw nothing yet."""
        self._channel = channel
        self._widths: list[int] = []
        self._is_cursor_hidden = False
        known = os.environ if environment is None else environment
        self._wraps = "XTERM_VERSION" not in known and ("STY" not in known or "TMUX" in known)  # xterm and screen cut lines off

    def draw(self, lines: Sequence[str], widths: Sequence[int], *, hide_cursor: bool = False) -> None:
        """Replace the lines; ``widths`` are their columns on the terminal."""
        frame = self._erasing() + (_HIDE_CURSOR if hide_cursor else "") + _WRAP_OFF + "\r\n".join(lines) + "\r" + _WRAP_ON
        self._is_cursor_hidden = self._is_cursor_hidden or hide_cursor
        self._widths = list(widths)
        self._channel.write(frame)

    def erase(self) -> None:
        """Remove the lines."""
        if self._widths:
            self._channel.write(self._erasing())
            self._widths = []

    def close(self) -> None:
        """Remove the lines, and show the cursor again."""
        self.erase()
        if self._is_cursor_hidden:
            self._channel.write(_SHOW_CURSOR)
            self._is_cursor_hidden = False

    def _erasing(self) -> str:
        """Return what erases the lines, in the rows that they take now."""
        if not self._widths:
            return ""
        columns = self._channel.width or max(self._widths)
        above = sum(max(1, -(-width // max(1, columns))) if self._wraps else 1 for width in self._widths[:-1])
        return (f"\x1b[{above}A" if above else "") + _ERASE_BELOW
