"""What a run does about a storage that asks for less: it shows it, tries again without counting, and ends when there is no hope."""

import random

from pixmill.engine.clock import Clock
from pixmill.engine.events import Throttled
from pixmill.engine.executor import Completed
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.task import Failure

THROTTLED = "throttled"  # the code of a failure, and the measure in which a handler counts refusals that it waited for itself
WAITED = "throttled_ms"  # the measure in which it counts the milliseconds of that
INITIAL_BACKOFF = 1.0  # seconds: bound of the first pause, doubled with each that follows without an answer in between
MAX_BACKOFF = 30.0
GIVE_UP_AFTER = 600.0  # seconds of refusals alone after which the run ends


class ThrottleBackoff:
    """Hears every answer. Pauses have full jitter, so that many tasks do not come back at once."""

    def __init__(self, publisher: EventPublisher, clock: Clock, chance: random.Random) -> None:
        """Have heard of nothing."""
        self._publisher = publisher
        self._clock = clock
        self._rng = chance
        self._refused_since: float | None = None
        self._bound = INITIAL_BACKOFF

    def on_result(self, answer: Completed) -> None:
        """Tell the observers of refusals, and take note of an answer that is none."""
        is_refused = answer.failure is not None and answer.failure.code == THROTTLED
        refusals = answer.measures.get(THROTTLED, 0) or int(is_refused)
        if refusals:
            seconds = answer.measures.get(WAITED, 0) / 1000
            self._publisher.publish(Throttled, task=answer.attempt.task, refusals=refusals, seconds=seconds)
        if not is_refused:
            self._refused_since = None
            self._bound = INITIAL_BACKOFF
        elif self._refused_since is None:
            self._refused_since = self._clock.elapsed()

    def pause(self) -> float:
        """Return after how many seconds a refused task is to be tried again."""
        pause = self._rng.uniform(0.0, self._bound)
        self._bound = min(MAX_BACKOFF, 2 * self._bound)
        return pause

    def give_up(self, failure: Failure) -> Failure | None:
        """Return why the run must end, if nothing but refusals like ``failure`` has come for too long."""
        if self._refused_since is None or self._clock.elapsed() - self._refused_since < GIVE_UP_AFTER:
            return None
        return Failure(
            code=THROTTLED,
            stage=failure.stage,
            message=f"a store has refused every request for {GIVE_UP_AFTER / 60:.0f} minutes: {failure.message}",
            hint="run the same command again later, with fewer --workers or a --max-rate: it goes on where it stopped",
            fatal=True,
        )
