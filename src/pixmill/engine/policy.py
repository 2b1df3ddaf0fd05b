"""How often, how long and how fast tasks are attempted: every configurable number of the engine."""

import random
from typing import Annotated

from msgspec import Meta

from pixmill.core.model import Model
from pixmill.core.units import ByteSize, CountOrPercent, Duration, Rate, TimeLimit
from pixmill.core.waits import STORE_TIMEOUT


class Policy(Model, frozen=True, kw_only=True):
    """The engine's settings, each with its default."""

    attempts: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="attempts per image over all runs; the last one runs alone in a fresh worker",
            extra={"prevents": ("retryable",)},
        ),
    ] = 3
    timeout: Annotated[
        TimeLimit, Meta(description="time limit per image, after which its worker is killed", extra={"prevents": ("timeout",)})
    ] = TimeLimit(60)
    grace: Annotated[Duration, Meta(description="time for images in flight to finish after the first Ctrl-C or SIGTERM")] = (
        Duration(8)
    )
    max_rate: Annotated[Rate | None, Meta(description="maximum number of images to start per second")] = None
    memory: Annotated[
        ByteSize | None,
        Meta(
            description="memory limit for all processes together; by default most of the machine's memory",
            extra={"prevents": ("limit-memory", "out-of-memory")},
        ),
    ] = None
    max_failures: Annotated[
        CountOrPercent | None,
        Meta(
            description="stop when more images than this fail, such as 20, or more than 5% of those finished; 100% never stops "
            "(default: stop if the first 100 images all fail with the same code)",
            extra={"value": "N|N%"},
        ),
    ] = None
    window: Annotated[int, Meta(ge=1, le=1_000_000, description="number of tasks to read ahead of the workers")] = 1024
    interruptions: Annotated[
        int,
        Meta(
            ge=1,
            description="times that the run may be killed while it works on an image before the image is failed",
            extra={"prevents": ("interrupted",)},
        ),
    ] = 4
    store_timeout: Annotated[
        Duration,
        Meta(description="time to wait for a store that refuses requests or does not respond before the run ends; no image fails"),
    ] = Duration(STORE_TIMEOUT)
    backoff: Annotated[Duration, Meta(description="mean delay before the first retry; doubles with each further retry")] = Duration(
        0.2
    )
    backoff_limit: Annotated[Duration, Meta(description="maximum delay before a retry")] = Duration(30)
    recycle_tasks: Annotated[int, Meta(ge=0, description="replace a worker after this many tasks; 0 means never")] = 10_000
    recycle_growth: Annotated[ByteSize, Meta(description="replace a worker once its memory has grown by this much")] = ByteSize(
        1_000_000_000
    )

    def pause(self, attempt: int, rng: random.Random) -> float:
        """Return the seconds to wait before the next attempt after the ``attempt``-th: exponential backoff with full jitter.

        Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
        """
        ceiling = min(self.backoff_limit, 2 * self.backoff * 2 ** (attempt - 1))
        return rng.uniform(0, ceiling)
