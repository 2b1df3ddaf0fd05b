"""How often, how long and how fast tasks are tried: every number of the engine that is a choice."""

import random
from typing import Annotated

from msgspec import Meta

from pixmill.core.model import Model
from pixmill.core.units import ByteSize, Duration, Rate


class Policy(Model, frozen=True, kw_only=True):
    """The engine's choices, each with its default."""

    attempts: Annotated[int, Meta(ge=1, description="tries of one image over all runs; the last one alone in a fresh worker")] = 3
    timeout: Annotated[Duration, Meta(description="time that one image may take before its worker is killed")] = Duration(60)
    grace: Annotated[Duration, Meta(description="time that images in flight get to finish after the first Ctrl-C or SIGTERM")] = (
        Duration(10)
    )
    max_rate: Annotated[Rate | None, Meta(description="images started a second, at most")] = None
    memory: Annotated[ByteSize | None, Meta(description="memory of all processes together; by default most of what there is")] = (
        None
    )
    window: Annotated[int, Meta(ge=1, description="tasks read ahead of the workers")] = 1024
    interruptions: Annotated[
        int, Meta(ge=1, description="runs that may die while an image is in flight before it is failed as a suspect")
    ] = 10
    backoff: Annotated[Duration, Meta(description="mean pause before the first retry; it doubles with each further one")] = (
        Duration(0.2)
    )
    backoff_limit: Annotated[Duration, Meta(description="longest pause before a retry")] = Duration(30)
    recycle_tasks: Annotated[int, Meta(ge=0, description="tasks after which a worker is replaced; 0 is never")] = 10_000
    recycle_growth: Annotated[ByteSize, Meta(description="growth in memory after which a worker is replaced")] = ByteSize(
        1_000_000_000
    )

    def pause(self, attempt: int, chance: random.Random) -> float:
        """Return the seconds to wait before the try after the ``attempt``-th: exponential backoff with full jitter.

        Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
        """
        ceiling = min(self.backoff_limit, 2 * self.backoff * 2 ** (attempt - 1))
        return chance.uniform(0, ceiling)
