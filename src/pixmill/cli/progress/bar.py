"""Progress on a terminal: a bar with the most important facts beside it, as many as the width allows."""

from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pixmill.batch.progress.progress import ProgressSnapshot
from pixmill.cli.console import Channel
from pixmill.cli.progress.region import Region
from pixmill.core.humanize import byte_count, duration_text


class Bar:
    """Draws two lines: a bar with finished / total and the time left, and below it failures, rates and savings."""

    def __init__(self, channel: Channel) -> None:
        """Take over the terminal; ``NO_COLOR`` turns colours off."""
        self._channel = channel
        self._terminal = Terminal(file=channel, force_terminal=True, highlight=False, markup=False)  # type: ignore[arg-type]  # has all methods that rich uses
        self._region = Region(channel)

    def show(self, now: ProgressSnapshot) -> None:
        """Redraw the bar."""
        width = self._channel.width or self._terminal.width
        with self._terminal.capture() as capture:
            self._terminal.print(render(now, width), width=width)
        lines = capture.get().splitlines()
        self._region.draw(lines, [Text.from_ansi(line).cell_len for line in lines], hide_cursor=True)

    def say(self, text: str) -> None:
        """Print ``text`` above the bar."""
        self._region.erase()
        self._terminal.print(Text(text))

    def finish(self, now: ProgressSnapshot) -> None:  # noqa: ARG002  # the summary follows
        """Remove the bar."""
        self._region.close()


def render(now: ProgressSnapshot, width: int) -> RenderableType:
    """Return the bar and the facts of ``now`` for a terminal that is ``width`` columns wide."""
    position = Text(_position(now), no_wrap=True)
    time_left = Text(_time_left(now), style="dim", no_wrap=True)
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(ratio=1)
    row.add_column()
    bar = ProgressBar(total=now.total, completed=now.finished, pulse=now.total is None, animation_time=now.elapsed)
    cells: list[RenderableType] = [bar, position]
    min_bar_width = 16
    if time_left and width - len(position) - len(time_left) - 2 > min_bar_width:
        row.add_column()
        cells.append(time_left)
    row.add_row(*cells)
    return Group(row, _facts(now, width))


def _position(now: ProgressSnapshot) -> str:
    if now.total is None or now.share is None:
        return f"{now.finished:,} of {now.found:,} found so far"
    return f"{now.finished:,}/{now.total:,} ({now.share:.1%})"


def _time_left(now: ProgressSnapshot) -> str:
    """Return the estimated time left, or the reason why there is no estimate."""
    if now.total is None:
        return "still scanning"
    return "" if now.remaining is None else f"{duration_text(now.remaining)} left"


def _facts(now: ProgressSnapshot, width: int) -> Text:
    """Return as many facts as fit, the most important first."""
    facts = [
        (f"waiting for the store ({duration_text(now.held)})", "yellow") if now.held else ("", ""),
        (f"{now.failed:,} failed", "red") if now.failed else ("", ""),
        (f"{now.images_rate:.1f} img/s", ""),
        (f"{now.outputs:,} outputs", "") if now.outputs > now.done else ("", ""),
        (f"{byte_count(now.saved)} saved", ""),
        (f"{now.pixels_rate / 1e6:.0f} MP/s", ""),
        (f"{now.skipped:,} unchanged", "dim") if now.skipped else ("", ""),
    ]
    text = Text(no_wrap=True)
    for words, style in facts:
        gap = "  " if text else ""
        if words and len(text) + len(gap) + len(words) <= width:
            text.append(gap).append(words, style)
    return text
