"""Retry requests to a storage that is overloaded or unreachable, with growing pauses and fewer concurrent requests."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pixmill.core.errors import PixmillError
from pixmill.storage.retry.limiter import AdaptiveLimiter

T = TypeVar("T")

FIRST_CONTACT_DEADLINE = 10.0  # seconds of retries for a storage that has never responded: rather misspelt than overloaded
THROTTLED = "throttled"  # the code of an error that asks for fewer requests
UNREACHABLE = "unreachable"  # of one for which no connection could be made
UNANSWERED = "unanswered"  # of one without a whole answer: the store's fault, or that of one object
#: the codes of errors that are a store's, not those of an object in it
SICK = frozenset({THROTTLED, UNREACHABLE, UNANSWERED})

OnPause = Callable[[PixmillError, float], None]


class RetryBudget:
    """The number of retries allowed: a tenth of all requests plus an initial balance, so that retries never double an overload."""

    RETRIES_PER_SUCCESS = 0.1
    MAX_BALANCE = 20.0

    def __init__(self) -> None:
        """Start with the full balance."""
        self._balance = self.MAX_BALANCE

    def deposit(self) -> None:
        """Count a successful request."""
        self._balance = min(self.MAX_BALANCE, self._balance + self.RETRIES_PER_SUCCESS)

    def withdraw(self) -> bool:
        """Tell whether one more retry is allowed, and count it."""
        if self._balance < 1:
            return False
        self._balance -= 1
        return True


class RetryPolicy:
    """Retries calls that fail with a ``retryable`` error, after pauses with full jitter, until the deadline or the budget ends.

    Pauses are random, between zero and ``initial_delay`` seconds; the bound doubles with each retry up to ``max_delay``. A pause
    requested by the storage (``PixmillError.retry_after``) is respected, with jitter on top. After ``deadline`` seconds the error
    is raised, sooner for a storage that has never responded. ``on_pause(error, seconds)`` is called before each pause. Without
    ``is_budgeted`` the number of retries has no limit: for the few requests on which everything else depends.
    """

    def __init__(  # noqa: PLR0913  # each has a default; clock, sleep and rng are for tests
        self,
        *,
        initial_delay: float = 0.1,
        max_delay: float = 8.0,
        deadline: float = 20.0,
        max_concurrency: float = 8.0,
        is_budgeted: bool = True,
        on_pause: OnPause = lambda error, seconds: None,  # noqa: ARG005  # no callback
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Start with ``max_concurrency`` requests at once."""
        self._initial_delay, self._max_delay, self._deadline = initial_delay, max_delay, deadline
        self._on_pause = on_pause
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311  # it spreads retries, it keeps no secret
        self._budget = RetryBudget() if is_budgeted else None
        self._has_responded = False
        min_limit = AdaptiveLimiter.MIN_LIMIT if is_budgeted else 1.0  # a few requests need no pauses beside their own
        self.limiter = AdaptiveLimiter(max_concurrency, min_limit=min_limit, clock=clock, sleep=sleep)

    def call(self, request: Callable[[], T]) -> T:
        """Return the result of ``request``, retrying it as needed; raise its last error."""
        began = self._clock()
        bound = self._initial_delay
        while True:
            try:
                with self.limiter.slot():
                    result = request()
            except PixmillError as error:
                pause = self._pause(error, bound, began)
            else:
                self.limiter.on_success()
                if self._budget:
                    self._budget.deposit()
                self._has_responded = True
                return result
            self._sleep(pause)
            bound = min(self._max_delay, 2 * bound)

    def _pause(self, error: PixmillError, bound: float, began: float) -> float:
        """Return the seconds to wait before the next attempt; raise ``error`` if there is none."""
        pause = error.retry_after + self._rng.uniform(0.0, bound)
        self._has_responded = self._has_responded or error.code in (THROTTLED, UNANSWERED)
        if error.code == THROTTLED:
            self.limiter.on_throttled()
        deadline = self._deadline if self._has_responded else min(self._deadline, FIRST_CONTACT_DEADLINE)
        if not error.retryable or self._clock() + pause > began + deadline or not (self._budget is None or self._budget.withdraw()):
            raise error
        self._on_pause(error, pause)
        return pause
