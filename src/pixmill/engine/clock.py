"""The coordinator's clock, passed in so that tests need not wait."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time. All values are in seconds."""

    def now(self) -> float:
        """Return the seconds since the epoch, for display."""

    def elapsed(self) -> float:
        """Return a value that never decreases, for measuring durations."""

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""


class SystemClock(Clock):
    """The clock of the operating system."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def elapsed(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)
