"""Keeps the progress of a run in sight: one thread that looks at the model and tells a printer, whatever the run is busy with."""

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Protocol, Self

from pixmill.batch.progress.progress import Progress, ProgressSnapshot
from pixmill.batch.progress.workload import WorkTotal
from pixmill.cli.console import Console
from pixmill.cli.options.output import RunOutput
from pixmill.cli.progress.plain import PlainProgress

TICK = 0.2  # seconds
PATIENCE = 2.0  # seconds after which a run is long enough for its total to be worth a second walk through the source


class Printer(Protocol):
    """Shows progress in one way."""

    def show(self, now: ProgressSnapshot) -> None:
        """Show it; called every 0.2 s."""

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def finish(self, now: ProgressSnapshot) -> None:
        """Show it for the last time, and let go of the terminal."""


class NoProgress(PlainProgress):
    """Says what it is told to, and shows no progress."""

    def show(self, now: ProgressSnapshot) -> None:
        """Show nothing."""

    def finish(self, now: ProgressSnapshot) -> None:
        """Show nothing."""


class Display:
    """Shows ``progress`` while the block lasts. ``say`` is safe in a signal handler: the line is printed at the next tick.

    ``make_printer`` is called when the block begins, for a printer may take the terminal over.
    """

    def __init__(self, progress: Progress, make_printer: Callable[[], Printer]) -> None:
        """Take what to show, and how."""
        self._progress = progress
        self._make_printer = make_printer
        self._printer: Printer | None = None
        self._lines: deque[str] = deque()
        self._over = Event()
        self._ticker = Thread(target=self._tick, name="display", daemon=True)

    def say(self, text: str) -> None:
        """Print ``text`` soon, on a line that stays; at once when the block is over."""
        self._lines.append(text)
        if self._over.is_set():
            self._say_all()

    def count_ahead(self, extent: Callable[[], WorkTotal]) -> None:
        """Ask ``extent`` how much there will be, on the side, if the run is not soon over."""
        with suppress(RuntimeError):  # where no thread is to be had the total stays unknown
            Thread(target=self._look, args=(extent,), name="look ahead", daemon=True).start()

    def __enter__(self) -> Self:
        """Start looking."""
        self._printer = self._make_printer()
        with suppress(RuntimeError):  # where no thread is to be had the run goes on unseen
            self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Show it for the last time."""
        self._over.set()
        if self._ticker.ident is not None:
            self._ticker.join()
        self._say_all()
        if self._printer is not None:
            self._printer.finish(self._progress.snapshot())

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            self._say_all()
            if self._printer is not None:
                self._printer.show(self._progress.snapshot())

    def _say_all(self) -> None:
        with suppress(IndexError):  # there are no more
            while self._printer is not None:
                self._printer.say(self._lines.popleft())

    def _look(self, extent: Callable[[], WorkTotal]) -> None:
        if not self._over.wait(PATIENCE) and self._progress.snapshot().total is None:
            self._progress.set_total(extent())


def printer_for(showing: RunOutput, console: Console, environment: Mapping[str, str]) -> Printer:
    """Return the printer that ``showing`` asks for; ``auto`` is a bar where somebody looks at a terminal, else lines."""
    wanted = "none" if showing.quiet else showing.progress
    if wanted == "auto":
        shares_terminal = showing.json and console.out.isatty()
        can_draw = console.err.isatty() and environment.get("TERM", "dumb") not in ("dumb", "unknown")
        is_kept = environment.get("CI", "") not in ("", "false", "0")  # a log, whatever it pretends to be
        wanted = "bar" if can_draw and not shares_terminal and not is_kept else "plain"
    if wanted == "bar":
        from pixmill.cli.progress.bar import Bar  # noqa: PLC0415  # rich costs 50 ms, which a script need not pay

        return Bar(console.err)
    return PlainProgress(console.err) if wanted == "plain" else NoProgress(console.err)
