"""Handle a storage that throttles: report it, try again without counting the attempt, and end the run when it never recovers."""

import random

from pixmill.engine.clock import Clock
from pixmill.engine.events import Throttled
from pixmill.engine.executor import Completed
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.task import Failure

THROTTLED = "throttled"  # the code of a failure, and the measure for refusals after which the handler itself waited
WAITED = "throttled_ms"  # the measure for the milliseconds that it waited
INITIAL_BACKOFF = 1.0  # seconds: bound of the first pause, doubled with each further one until a request succeeds
MAX_BACKOFF = 30.0
GIVE_UP_AFTER = 600.0  # seconds of nothing but refusals after which the run ends


class ThrottleBackoff:
    """Tracks refusals across all results. Pauses have full jitter, so that many tasks do not retry at the same time."""

    def __init__(self, publisher: EventPublisher, clock: Clock, rng: random.Random) -> None:
        """Start without any refusals."""
        self._publisher = publisher
        self._clock = clock
        self._rng = rng
        self._refused_since: float | None = None
        self._bound = INITIAL_BACKOFF

    def on_result(self, completed: Completed) -> None:
        """Publish refusals, and reset the backoff after a result that is not one."""
        is_refused = completed.failure is not None and completed.failure.code == THROTTLED
        refusals = completed.measures.get(THROTTLED, 0) or int(is_refused)
        if refusals:
            seconds = completed.measures.get(WAITED, 0) / 1000
            self._publisher.publish(Throttled, task=completed.attempt.task, refusals=refusals, seconds=seconds)
        if not is_refused:
            self._refused_since = None
            self._bound = INITIAL_BACKOFF
        elif self._refused_since is None:
            self._refused_since = self._clock.elapsed()

    def pause(self) -> float:
        """Return the seconds after which to retry a refused task."""
        pause = self._rng.uniform(0.0, self._bound)
        self._bound = min(MAX_BACKOFF, 2 * self._bound)
        return pause

    def give_up(self, failure: Failure) -> Failure | None:
        """Return the failure that ends the run if there have been only refusals like ``failure`` for too long, else ``None``."""
        if self._refused_since is None or self._clock.elapsed() - self._refused_since < GIVE_UP_AFTER:
            return None
        return Failure(
            code=THROTTLED,
            stage=failure.stage,
            message=f"a store has refused every request for {GIVE_UP_AFTER / 60:.0f} minutes: {failure.message}",
            hint="run the same command again later to resume, with fewer --workers or a --max-rate",
            fatal=True,
        )
