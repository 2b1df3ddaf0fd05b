"""A circuit breaker for stores that are sick: attempts that fail for this reason do not count, and work waits for recovery.

After a few refusals without any other result in between, the breaker opens: then one attempt at a time tries the store, after
growing pauses, until one gets another result. If none does for as long as its timeout, the run ends; its tasks stay pending.
"""

import random
from collections.abc import Callable

import msgspec

from pixmill.core.humanize import duration_text
from pixmill.engine.clock import Clock
from pixmill.engine.events import StoreHeld, StoreRecovered, Throttled
from pixmill.engine.executor import Completed
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.task import Failure

THROTTLED = "throttled"  # the code of a failure, and the measure for refusals after which the handler itself waited
WAITED = "throttled_ms"  # the measure for the milliseconds that it waited
#: the codes of failures that are a store's, not the task's, and the stages in which a handler waits for a sick store
SICK_STORE = frozenset({THROTTLED, "unreachable", "unanswered"})
INITIAL_BACKOFF = 1.0  # seconds: bound of the first pause, doubled with each further one until a request succeeds
MAX_BACKOFF = 20.0
MIN_REFUSALS = 3  # in a row, and
HOLD_AFTER = 5.0  # seconds since the first of them, before the breaker opens


class Hold(msgspec.Struct, frozen=True):
    """Something other than the attempts that waits for a store, for this ``reason``. ``blocks``: no attempt may start meanwhile."""

    reason: str
    blocks: bool = False


def no_hold() -> None:
    """Return ``None``: nothing waits."""
    return


class StoreBreaker:
    """Tracks the refusals of stores across all results. Pauses have full jitter, so that tasks do not retry at the same time.

    ``hold`` returns what else waits for a store at the moment. ``on_change(since)`` is called when work begins to wait, with the
    time by ``clock``, and with 0 when it goes on.
    """

    def __init__(
        self,
        publisher: EventPublisher,
        clock: Clock,
        rng: random.Random,
        *,
        timeout: float,
        hold: Callable[[], Hold | None] = no_hold,
        on_change: Callable[[float], None] = lambda since: None,  # noqa: ARG005  # nobody looks
    ) -> None:
        """Start closed."""
        self._publisher = publisher
        self._clock = clock
        self._rng = rng
        self._timeout = timeout
        self._hold = hold
        self._on_change = on_change
        self._refused_since: float | None = None
        self._refusals = 0
        self._reason = ""
        self._bound = INITIAL_BACKOFF
        self._next_probe = 0.0
        self._held_since: float | None = None

    def on_result(self, completed: Completed) -> None:
        """Publish refusals, and close the breaker after a result that is not one."""
        is_throttled = completed.failure is not None and completed.failure.code == THROTTLED
        refusals = completed.measures.get(THROTTLED, 0) or int(is_throttled)
        if refusals:
            seconds = completed.measures.get(WAITED, 0) / 1000
            self._publisher.publish(Throttled, task=completed.attempt.task, refusals=refusals, seconds=seconds)
        if completed.failure is None or completed.failure.code not in SICK_STORE:
            self._refused_since, self._refusals, self._reason = None, 0, ""
            self._bound = INITIAL_BACKOFF

    def refuse(self, failure: Failure) -> tuple[float, Failure | None]:
        """Count a refusal; return the pause before the task is tried again, and the failure that ends the run once it is time."""
        now = self._clock.elapsed()
        self._refusals += 1
        self._reason = failure.message
        if self._refused_since is None:
            self._refused_since = now
        pause = self._rng.uniform(0.0, self._bound)
        self._bound = min(MAX_BACKOFF, 2 * self._bound)
        self._next_probe = now + pause
        return pause, self._final(failure) if now - self._refused_since >= self._timeout else None

    def allowance(self, outstanding: int) -> int | None:
        """Return how many attempts may be started now, ``None`` for any number; publish when work begins or ceases to wait."""
        now, hold = self._clock.elapsed(), self._hold()
        since = self._refused_since
        is_open = since is not None and self._refusals >= MIN_REFUSALS and now - since >= HOLD_AFTER
        self._publish(now, self._reason if is_open else hold.reason if hold else "")
        if hold is not None and hold.blocks:
            return 0
        if not is_open:
            return None
        return int(not outstanding and now >= self._next_probe)

    def _publish(self, now: float, reason: str) -> None:
        if reason and self._held_since is None:
            self._held_since = now
            self._on_change(now)
            self._publisher.publish(StoreHeld, reason=reason, timeout=self._timeout)
        elif not reason and self._held_since is not None:
            seconds = now - self._held_since
            self._held_since = None
            self._on_change(0.0)
            self._publisher.publish(StoreRecovered, seconds=seconds)

    def _final(self, failure: Failure) -> Failure:
        fewer = ", with fewer --workers or a --max-rate" if failure.code == THROTTLED else ""
        return Failure(
            code=failure.code,
            stage=failure.stage,
            message=f"the store has not recovered within {duration_text(self._timeout)}: {failure.message}",
            hint=f"run the same command again later to resume{fewer}",
            fatal=True,
        )
