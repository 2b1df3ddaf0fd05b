"""Patience with a storage that is overloaded or out of reach: try again, later and later, and ask for less meanwhile."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pixmill.core.errors import PixmillError
from pixmill.storage.retry.limiter import AdaptiveLimiter

T = TypeVar("T")

FIRST_CONTACT_DEADLINE = 10.0  # seconds of patience with what has never answered: it is misspelt rather than overloaded
THROTTLED = "throttled"  # the code of an error that says: not now, not so much


class RetryBudget:
    """How many tries may be repeated: a tenth of all, and a few to begin with, so that trying again never doubles a storm."""

    SHARE = 0.1
    FIRST = 20.0

    def __init__(self) -> None:
        """Begin with a few."""
        self._left = self.FIRST

    def deposit(self) -> None:
        """Note a request that was answered."""
        self._left = min(self.FIRST, self._left + self.SHARE)

    def withdraw(self) -> bool:
        """Tell whether one more repetition is allowed, and count it."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class RetryPolicy:
    """Repeats calls whose error says that it is ``retryable``, after pauses with full jitter, as long as there is hope and budget.

    A pause is drawn between nothing and ``first`` seconds, doubled with each try up to ``longest``; one that the storage asked
    for (``PixmillError.retry_after``) is kept, with jitter on top. After ``enough`` seconds the error is passed on, sooner
    from a storage that has never answered.
    ``throttled(seconds)`` is told of each refusal for want of capacity, and the pause that follows it.
    """

    def __init__(  # noqa: PLR0913  # each has its default; clock, sleep and chance are a test's
        self,
        *,
        initial_delay: float = 0.1,
        max_delay: float = 8.0,
        deadline: float = 20.0,
        most: float = 8.0,
        throttled: Callable[[float], None] = lambda seconds: None,  # noqa: ARG005  # nobody asked
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Begin at full pace: ``most`` requests at once."""
        self._initial_delay, self._max_delay, self._deadline = initial_delay, max_delay, deadline
        self._throttled = throttled
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311  # it spreads repetitions, it keeps no secret
        self._budget = RetryBudget()
        self._is_known = False
        self.limiter = AdaptiveLimiter(most, clock=clock, sleep=sleep)

    def call(self, request: Callable[[], T]) -> T:
        """Return what ``request`` returns, in the end."""
        began = self._clock()
        bound = self._initial_delay
        while True:
            try:
                with self.limiter.slot():
                    answer = request()
            except PixmillError as error:
                pause = self._pause(error, bound, began)
            else:
                self.limiter.on_success()
                self._budget.deposit()
                self._is_known = True
                return answer
            self._sleep(pause)
            bound = min(self._max_delay, 2 * bound)

    def _pause(self, error: PixmillError, bound: float, began: float) -> float:
        """Return the seconds to wait before the next try; raise ``error`` when there is none."""
        pause = error.retry_after + self._rng.uniform(0.0, bound)
        is_throttled = error.code == THROTTLED
        if is_throttled:
            self._is_known = True
            self.limiter.on_throttled()
            self._throttled(pause)
        enough = self._deadline if self._is_known else min(self._deadline, FIRST_CONTACT_DEADLINE)
        if not error.retryable or self._clock() + pause > began + enough or not self._budget.withdraw():
            raise error
        return pause
