"""How a watch is shown: a line when something changes about it, and one every 10 s while images come in."""

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
from pixmill.cli.progress.plain import SECONDS, PlainProgress, line
from pixmill.core.events import Event
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.events import TaskFinished
from pixmill.engine.task import Failed

SENTENCES: dict[type[Event], Callable[..., str]] = {
    WatchStarted: lambda event: f"told of changes by {event.method}: {event.reason}",
    SourceLost: lambda _: "the folder is gone; waiting for it to come back",
    SourceReturned: lambda _: "the folder is back",
    SettingsChanged: lambda _: "the settings have changed: what they change is made again",
    SettingsRefused: lambda event: f"the changed settings are wrong, and the former ones stay: {printable(event.message)}",
    NameRefused: lambda event: f"left alone: {printable(event.message)}",
    SourceMoved: lambda event: f"moved {printable(event.path)} to {printable(event.to)}",
    SourceKept: lambda event: f"could not move {printable(event.path)}: {printable(event.message)}",
    OutputRemoved: lambda event: f"removed the output {printable(event.name)}",
}


class WatchLines(PlainProgress):
    """Progress for as long as a watch lasts: silent while nothing happens."""

    def __init__(self, *arguments: object, **options: object) -> None:
        """Take what ``Lines`` takes."""
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # the same
        self._said = ProgressSnapshot()
        self._due = SECONDS

    def show(self, now: ProgressSnapshot) -> None:
        """Print a line every 10 s, while images come in."""
        if now.elapsed >= self._due and now.finished != self._said.finished:
            self._said, self._due = now, now.elapsed + SECONDS
            self.say(line("IN PROGRESS", now, now.images_rate))

    def finish(self, now: ProgressSnapshot) -> None:
        """Leave the last word to the summary."""


class WatchMessages:
    """An observer that says in words what happens to a watch."""

    def __init__(self, progress: Progress, say: Callable[[str], None]) -> None:
        """Say it with ``say``; count with ``progress``."""
        self._progress = progress
        self._say = say

    def on_event(self, event: Event) -> None:
        """Say what ``event`` means, if it is worth a line."""
        if type(event) in SENTENCES:
            self._say(f"[WATCH] {SENTENCES[type(event)](event)}")
        elif isinstance(event, CaughtUp):
            self._say(f"[WATCH] {_totals(self._progress.snapshot())}; waiting for more")
        elif failure := _failure(event):
            self._say(failure)

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class WatchWarnings:
    """An observer that says which images fail, and nothing else: a watch has no end at which it could say how many."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say it with ``say``."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Say that an image has failed."""
        if failure := _failure(event):
            self._say(failure)

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


def _failure(event: Event) -> str:
    """Return the line about an image that has failed just now; empty for anything else that happens."""
    if isinstance(event, TaskFinished) and isinstance(event.outcome, Failed) and not event.outcome.remembered:
        return f"[FAILED] {printable(event.outcome.task.key)}: {printable(event.outcome.failure.message)}"
    return ""


def _totals(now: ProgressSnapshot) -> str:
    failed = f", {plural(now.failed, 'failure')}" if now.failed else ""
    return f"{plural(now.done, 'image')} done{failed}, {now.skipped:,} unchanged since the start"
