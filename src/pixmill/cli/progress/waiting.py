"""``Waiting``: says on the terminal what a command is waiting for, when it takes longer than half a second."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from pixmill.cli.console import Console, Waits
from pixmill.cli.options.output import CommonOutput
from pixmill.cli.progress.mode import progress_mode
from pixmill.cli.progress.region import Region
from pixmill.core.humanize import duration_text
from pixmill.core.text import printable
from pixmill.core.waits import Notice

SHOWN_AFTER = 0.5  # seconds
REFRESH_INTERVAL = 0.2  # seconds
PLAIN_LINE_AFTER = 5.0  # seconds; a log should not hold what was over soon


class Waiting(Waits):
    """Shows the notice of the current wait, for the duration of the block.

    On a terminal it is one line, erased afterwards and before each line that the console prints. Elsewhere it is at most one
    permanent line, after five seconds; with ``--quiet`` and ``--progress none`` there is none.
    """

    def __init__(self, output: CommonOutput, console: Console) -> None:
        """Show nothing yet."""
        mode = progress_mode(output, console, os.environ)
        self._console = console
        self._region = Region(console.err) if mode == "bar" else None
        self._may_print = mode == "plain"
        self._lock = Lock()
        self._notice: Notice | None = None
        self._began = 0.0
        self._closing = Event()
        self._thread: Thread | None = None

    def begin(self, notice: Notice) -> None:
        """Begin a wait, for what ``notice`` returns; the wait before it is over."""
        self.end()
        self._notice, self._began = notice, time.monotonic()
        if self._thread is None and (self._region is not None or self._may_print):
            self._thread = Thread(target=self._refresh, name="waiting", daemon=True)
            with suppress(RuntimeError):  # if no thread can be started, the command continues without a word
                self._thread.start()

    def end(self) -> None:
        """End the wait, so that others can use the terminal."""
        with self._lock:
            self._erase()
            self._notice = None

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Keep the line away while something else is printed; for good if a pager may read it from a pipe."""
        with self._lock:
            self._erase()
            if self._notice is not None and self._console.out.is_pipe:
                self._notice = None
            yield

    def __enter__(self) -> Self:
        """Become the one that the console asks."""
        self._console.waits = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Erase what is shown."""
        self._closing.set()
        self.end()
        self._console.waits = Waits()

    def _refresh(self) -> None:
        while not self._closing.wait(REFRESH_INTERVAL):
            with self._lock:
                if self._notice is not None:
                    self._show(self._notice, time.monotonic() - self._began)

    def _show(self, notice: Notice, seconds: float) -> None:
        if self._region is not None and seconds >= SHOWN_AFTER:
            from rich.cells import cell_len, set_cell_size  # noqa: PLC0415  # 50 ms that short commands need not pay

            text = f"{printable(notice())} ... {duration_text(seconds)}"
            columns = min(cell_len(text), (self._console.err.width or 80) - 1)
            self._region.draw([set_cell_size(text, columns)], [columns])
        elif self._may_print and seconds >= PLAIN_LINE_AFTER:
            self._may_print = False
            self._console.err.write(f"{printable(notice())} ...\n")

    def _erase(self) -> None:
        if self._region is not None:
            self._region.erase()
