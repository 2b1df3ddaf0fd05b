"""Displays the progress of a run: a separate thread reads the progress model and calls a printer, however busy the run is."""

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
from pixmill.cli.progress.mode import progress_mode
from pixmill.cli.progress.plain import PlainProgress

REFRESH_INTERVAL = 0.2  # seconds
COUNT_AHEAD_AFTER = 2.0  # seconds; a run that lasts longer and has work is worth a second listing of the source for its total


class Printer(Protocol):
    """Shows progress in one way."""

    def show(self, now: ProgressSnapshot) -> None:
        """Show the progress; called every 0.2 s."""

    def say(self, text: str) -> None:
        """Print a permanent line."""

    def finish(self, now: ProgressSnapshot) -> None:
        """Show the final progress, and release the terminal."""


class NoProgress(PlainProgress):
    """Prints messages, but no progress."""

    def show(self, now: ProgressSnapshot) -> None:
        """Show nothing."""

    def finish(self, now: ProgressSnapshot) -> None:
        """Show nothing."""


class Display:
    """Shows ``progress`` for the duration of the block. ``say`` is safe in a signal handler: the next refresh prints the line.

    ``make_printer`` is called when the block begins, because a printer may take over the terminal.
    """

    def __init__(self, progress: Progress, make_printer: Callable[[], Printer], words: Callable[[str], str] = str) -> None:
        """Store the progress to show and the factory of the printer; ``words`` rewrites each line before it is printed."""
        self._words = words
        self._progress = progress
        self._make_printer = make_printer
        self._printer: Printer | None = None
        self._lines: deque[str] = deque()
        self._stopping = Event()
        self._refresher = Thread(target=self._refresh, name="display", daemon=True)

    def say(self, text: str) -> None:
        """Print ``text`` on a permanent line at the next refresh; immediately after the block has ended."""
        self._lines.append(text)
        if self._stopping.is_set():
            self._print_lines()

    def count_ahead(self, work_total: Callable[[], WorkTotal | None]) -> None:
        """Call ``work_total`` in the background to set the total, unless the run ends soon or finds nothing to do."""
        with suppress(RuntimeError):  # if no thread can be started, the total stays unknown
            Thread(target=self._count, args=(work_total,), name="count ahead", daemon=True).start()

    def __enter__(self) -> Self:
        """Start the display."""
        self._printer = self._make_printer()
        with suppress(RuntimeError):  # if no thread can be started, the run continues without a display
            self._refresher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the display and show the final progress."""
        self._stopping.set()
        if self._refresher.ident is not None:
            self._refresher.join()
        self._print_lines()
        if self._printer is not None:
            self._printer.finish(self._progress.snapshot())

    def _refresh(self) -> None:
        while not self._stopping.wait(REFRESH_INTERVAL):
            self._print_lines()
            if self._printer is not None:
                self._printer.show(self._progress.snapshot())

    def _print_lines(self) -> None:
        with suppress(IndexError):  # the queue is empty
            while self._printer is not None:
                self._printer.say(self._words(self._lines.popleft()))

    def _count(self, work_total: Callable[[], WorkTotal | None]) -> None:
        while not self._stopping.wait(COUNT_AHEAD_AFTER) and self._progress.snapshot().total is None:
            if self._progress.has_work:
                with suppress(Exception):  # the run meets the same obstacle, and reports it; here the total stays unknown
                    total = work_total()
                    if total is not None:
                        self._progress.set_total(total)
                return


def printer_for(output: RunOutput, console: Console, environment: Mapping[str, str]) -> Printer:
    """Return the printer that ``output`` selects."""
    mode = progress_mode(output, console, environment)
    if mode == "bar":
        from pixmill.cli.progress.bar import Bar  # noqa: PLC0415  # importing rich takes 50 ms, which scripts need not pay

        return Bar(console.err)
    return PlainProgress(console.err) if mode == "plain" else NoProgress(console.err)
