"""The clock of the coordinator, passed in so that a test need not wait."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. All in seconds."""

    def now(self) -> float:
        """Return the seconds since the epoch, for people."""

    def elapsed(self) -> float:
        """Return a reading that only ever grows, for measuring."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock(Clock):
    """The real one."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def elapsed(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)
