"""Estimate how long a run will take, from the images that earlier runs have made."""

from collections.abc import Iterable

from pixmill.batch.config.models import RunConfig
from pixmill.batch.worker.options import HandlerOptions
from pixmill.batch.worker.reference import LOCAL, worker_count
from pixmill.engine.ledger import RunRecord
from pixmill.engine.resources.cpu import usable_cores


class WorkerSeconds:
    """The time that workers needed for images, in proportion to the bytes of the sources, or to their number if that is unknown."""

    def __init__(self) -> None:
        """Begin with no image."""
        self._seconds, self._bytes, self._images = 0.0, 0, 0

    def add(self, seconds: float, source_bytes: int) -> None:
        """Count an image that took so long; not one whose time is unknown."""
        if seconds > 0:
            self._seconds += seconds
            self._bytes += source_bytes
            self._images += 1

    def of(self, images: int, source_bytes: int) -> float | None:
        """Return the time of one worker for as many ``images`` with so many bytes; ``None`` if none has been counted."""
        if not self._images:
            return None
        if self._bytes and source_bytes:
            return self._seconds * source_bytes / self._bytes
        return self._seconds * images / self._images


def run_seconds(
    known: WorkerSeconds,
    images: int,
    source_bytes: int,
    *,
    config: RunConfig,
    handler_options: HandlerOptions,
    runs: Iterable[RunRecord],
) -> float | None:
    """Return the estimated duration of a run that makes ``images``; ``None`` when no image has been made.

    On this machine workers share the work. How many a cluster will have is not known here, so its rate is that of the last of the
    ``runs`` that ended.
    """
    if config.executor == LOCAL:
        alone = known.of(images, source_bytes)
        shared = None if alone is None else alone / (worker_count(config, handler_options) or usable_cores())
    else:
        rates = [run.counts.done / (run.ended_at - run.started_at) for run in runs if run.ended_at and run.counts.done]
        shared = images / rates[-1] if rates else None
    limit = config.policy.max_rate
    return shared if shared is None or limit is None else max(shared, images / limit)
