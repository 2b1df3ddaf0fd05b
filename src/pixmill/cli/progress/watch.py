"""The display of a watch: a line for each change of its state, and one every 10 s while images arrive."""

from collections.abc import Callable

from pixmill.batch.progress.progress import Progress, ProgressSnapshot
from pixmill.batch.watch.events import (
    CaughtUp,
    NameRefused,
    OutputRemoved,
    SettingsChanged,
    SettingsRefused,
    SourceKept,
    SourceLost,
    SourceMoved,
    SourceReturned,
    WatchStarted,
)
from pixmill.cli.progress.plain import LINE_INTERVAL, PlainProgress, line
from pixmill.core.events import Event
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.events import TaskFinished
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.task import Failed

MESSAGES: dict[type[Event], Callable[..., str]] = {
    WatchStarted: lambda event: f"watching with {event.method}: {event.reason}",
    SourceLost: lambda _: "the source folder is gone; waiting for it to return",
    SourceReturned: lambda _: "the source folder is back",
    SettingsChanged: lambda _: "the settings changed; processing the affected images again",
    SettingsRefused: lambda event: f"the new settings are invalid, keeping the old ones: {printable(event.message)}",
    NameRefused: lambda event: f"ignored: {printable(event.message)}",
    SourceMoved: lambda event: f"moved {printable(event.path)} to {printable(event.to)}",
    SourceKept: lambda event: f"cannot move {printable(event.path)}: {printable(event.message)}",
    OutputRemoved: lambda event: f"removed output {printable(event.name)}",
}


class WatchLines(PlainProgress):
    """The progress of a watch: silent while nothing happens."""

    def __init__(self, *arguments: object, **options: object) -> None:
        """Take the arguments of ``PlainProgress``."""
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # the same
        self._last_shown = ProgressSnapshot()
        self._due = LINE_INTERVAL

    def show(self, now: ProgressSnapshot) -> None:
        """Print a line every 10 s while images arrive."""
        if now.elapsed >= self._due and now.finished != self._last_shown.finished:
            self._last_shown, self._due = now, now.elapsed + LINE_INTERVAL
            self.say(line("IN PROGRESS", now, now.images_rate))

    def finish(self, now: ProgressSnapshot) -> None:
        """Print nothing: the summary follows."""


class WatchMessages(IgnoresUnchanged):
    """An observer that prints messages about a watch."""

    def __init__(self, progress: Progress, say: Callable[[str], None]) -> None:
        """Print with ``say``; take counts from ``progress``."""
        self._progress = progress
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print the message of ``event``, if it has one."""
        if type(event) in MESSAGES:
            self._say(f"[WATCH] {MESSAGES[type(event)](event)}")
        elif isinstance(event, CaughtUp):
            self._say(f"[WATCH] {_totals(self._progress.snapshot())}; waiting for more")
        elif failure := _failure(event):
            self._say(failure)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class WatchWarnings(IgnoresUnchanged):
    """An observer that prints only the images that fail, because a watch has no end at which to print their number."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Print with ``say``."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print a line if an image failed."""
        if failure := _failure(event):
            self._say(failure)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _failure(event: Event) -> str:
    """Return the line about an image that has just failed; empty for any other event."""
    if isinstance(event, TaskFinished) and isinstance(event.outcome, Failed) and not event.outcome.remembered:
        return f"[FAILED] {printable(event.outcome.task.key)}: {printable(event.outcome.failure.message)}"
    return ""


def _totals(now: ProgressSnapshot) -> str:
    failed = f", {plural(now.failed, 'failure')}" if now.failed else ""
    return f"{plural(now.done, 'image')} done{failed}, {now.skipped:,} unchanged since the start"
