"""Signals: the first one lets the images in flight finish, the second stops at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from pixmill.core.humanize import plural

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal came before there was a run to stop."""

    def __init__(self, signal: int) -> None:
        """Remember which."""
        self.signal = signal
        super().__init__(signal)


class Stoppable(Protocol):
    """A run, as far as a signal is concerned."""

    def stop(self, reason: str) -> None:
        """Take no more work, and finish what is in flight."""

    def kill(self) -> None:
        """Stop at once."""


class GracefulStop:
    """What the signals that came mean for the run. ``signal`` is the first one, 0 while none has come."""

    def __init__(self) -> None:
        """Start with no run: a signal ends the command."""
        self.signal = 0
        self._run: Stoppable | None = None
        self._in_flight: Callable[[], int] = lambda: 0
        self._say: Callable[[str], None] = lambda text: None  # noqa: ARG005  # nobody is watching yet

    def attach(self, run: Stoppable, *, in_flight: Callable[[], int], say: Callable[[str], None]) -> None:
        """From now on a signal stops ``run``; ``say`` must be safe in a signal handler."""
        self._run, self._in_flight, self._say = run, in_flight, say

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the signature of a signal handler
        """Take the signal ``number``."""
        if self._run is None:
            raise Interrupted(number)
        if self.signal:
            self._say("stopping at once")
            self._run.kill()
            return
        self.signal = number
        again = "press Ctrl-C again to stop at once" if number == signal.SIGINT else "another signal stops at once"
        self._say(f"finishing {plural(self._in_flight(), 'image')} in flight, {again}")
        self._run.stop("SIGINT" if number == signal.SIGINT else "SIGTERM")  # a hang-up ends a run as SIGTERM does


@contextmanager
def handling_signals() -> Iterator[GracefulStop]:
    """Take the signals while the block lasts, but not one that is ignored (``nohup``). Must be entered in the main thread."""
    interruption = GracefulStop()
    taken = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.handle) for number in taken}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
