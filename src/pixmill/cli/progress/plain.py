"""Progress without a terminal: a line every 10 % or 10 seconds, whichever comes first."""

from pixmill.batch.progress.progress import ProgressSnapshot
from pixmill.cli.console import Channel
from pixmill.core.humanize import duration_text

LINE_INTERVAL = 10.0  # seconds
TENTHS = 10


class PlainProgress:
    """Prints lines such as ``[IN PROGRESS] 4200/10000 (42.0%) | 61.3 img/s | 812.4 MB saved | Errors: 3``."""

    def __init__(self, channel: Channel) -> None:
        """Print to ``channel``."""
        self._channel = channel
        self._last_line_at = 0.0
        self._tenth = 0

    def show(self, now: ProgressSnapshot) -> None:
        """Print a line if one is due. Until the total is known, only elapsed time makes a line due."""
        tenth = int((now.share or 0.0) * TENTHS)
        if tenth == TENTHS:
            return  # ``finish`` prints the last line
        if tenth > self._tenth or now.elapsed - self._last_line_at >= LINE_INTERVAL:
            self._last_line_at, self._tenth = now.elapsed, max(tenth, self._tenth)
            self.say(line("IN PROGRESS", now, now.images_rate))

    def say(self, text: str) -> None:
        """Print ``text`` on a line of its own."""
        self._channel.write(f"{text}\n")

    def finish(self, now: ProgressSnapshot) -> None:
        """Print the last line: ``[DONE]``, or ``[STOPPED]`` if images are left."""
        label = "DONE" if now.finished == now.total else "STOPPED"
        self.say(line(label, now, now.worked / now.elapsed if now.elapsed else 0.0))


def line(label: str, now: ProgressSnapshot, rate: float) -> str:
    """Return the progress line that starts with ``label``."""
    if now.total is None or now.share is None:
        position = f"{now.finished} of {now.found} found so far"
    else:
        position = f"{now.finished}/{now.total} ({now.share:.1%})"
    outputs = f" | {now.outputs} outputs" if now.outputs > now.done else ""
    held = f" | waiting for the store ({duration_text(now.held)})" if now.held else ""
    return f"[{label}] {position} | {rate:.1f} img/s | {now.saved / 1e6:z.1f} MB saved | Errors: {now.failed}{outputs}{held}"
