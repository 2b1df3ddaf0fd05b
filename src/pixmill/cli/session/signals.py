"""Signals: the first one lets the images in flight finish, the second one stops the run immediately."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from pixmill.core.humanize import plural
from pixmill.core.operating_system import END_SIGNALS


class Interrupted(BaseException):
    """A signal arrived before there was a run to stop."""

    def __init__(self, signal: int) -> None:
        """Store the number of the signal."""
        self.signal = signal
        super().__init__(signal)


class Stoppable(Protocol):
    """A run that signals can stop."""

    def stop(self, reason: str) -> None:
        """Start no more images, and finish those in flight."""

    def kill(self) -> None:
        """Stop immediately."""


class GracefulStop:
    """Applies signals to a run. ``signal`` is the first one received, 0 before that."""

    def __init__(self) -> None:
        """Start without a run: a signal ends the command."""
        self.signal = 0
        self._run: Stoppable | None = None
        self._in_flight: Callable[[], int] = lambda: 0
        self._say: Callable[[str], None] = lambda text: None  # noqa: ARG005  # there is no display yet

    def attach(self, run: Stoppable, *, in_flight: Callable[[], int], say: Callable[[str], None]) -> None:
        """Let signals stop ``run`` from now on; ``say`` must be safe in a signal handler."""
        self._run, self._in_flight, self._say = run, in_flight, say

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the signature of a signal handler
        """Handle the signal ``number``."""
        if self._run is None:
            raise Interrupted(number)
        if self.signal:
            self._say("stopping immediately")
            self._run.kill()
            return
        self.signal = number
        in_flight = self._in_flight()
        action = "press Ctrl-C again" if number == signal.SIGINT else "send another signal"
        work = f"finishing {plural(in_flight, 'image')} in flight" if in_flight else "stopping, nothing is in flight"
        self._say(f"{work}; {action} to stop immediately")
        self._run.stop("SIGINT" if number == signal.SIGINT else "SIGTERM")  # SIGHUP ends a run like SIGTERM


@contextmanager
def handling_signals() -> Iterator[GracefulStop]:
    """Handle signals for the duration of the block, except ignored ones (``nohup``). Must be entered in the main thread."""
    graceful_stop = GracefulStop()
    handled = [number for number in END_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, graceful_stop.handle) for number in handled}
    try:
        yield graceful_stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
