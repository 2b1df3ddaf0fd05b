"""``Report``: the results of a run."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec

from pixmill.batch.config.pattern import PatternCount
from pixmill.batch.report.extrapolation import SampleReport
from pixmill.engine.ledger import FINISHED
from pixmill.engine.observability.histogram import HistogramSnapshot
from pixmill.engine.observability.metrics import FailureKind, MetricsSnapshot, SlowTask
from pixmill.engine.task import Counts


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a run. Bytes and pixels are those of the images processed in this run.

    ``failures``: count and first three sources of each error code. ``left_alone``: images that were skipped for another reason
    than being done and unchanged, by reason; ``left_alone_keys``: the first three sources of each. ``ignored``: files that were
    not candidates, by reason; ``other_images``: those of them that are images of a kind that is not read, by kind. ``notes``:
    content that was dropped or ignored during processing, by code, counted in images. ``scores``: the outputs whose quality was
    searched for a score, by that which they have, to a tenth. ``stages``: timing of each stage.
    ``slowest``: the five images that took longest. ``throttled``: number of times that a store throttled requests. ``reason``:
    the reason why the run ended, ``reason_code``: the code of the error that stopped it, empty if there was none. ``makes``:
    the outputs of each image, in words. ``sample``: what was learnt about the whole source, if this was a sample. ``patterns``:
    how often each pattern of the selection was used. ``older``: images that were kept although other versions of libraries had
    made them, by the versions that differ.
    """

    counts: Counts
    remembered: int = 0
    failures: dict[str, FailureKind] = {}
    left_alone: dict[str, int] = {}
    left_alone_keys: dict[str, tuple[bytes, ...]] = {}
    ignored: dict[str, int] = {}
    notes: dict[str, int] = {}
    scores: dict[str, int] = {}
    outputs: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    pixels_in: int = 0
    retries: int = 0
    throttled: int = 0
    workers: int = 0
    workers_lost: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    stages: dict[str, HistogramSnapshot] = {}
    slowest: tuple[SlowTask, ...] = ()
    reason: str = FINISHED
    reason_code: str = ""
    makes: tuple[str, ...] = ()
    sample: SampleReport | None = None
    patterns: tuple[PatternCount, ...] = ()
    other_images: dict[str, FailureKind] = {}
    older: dict[str, int] = {}

    #: exit codes of a run that did not finish, by the reason for which it was stopped
    EXIT_CODES: ClassVar[Mapping[str, int]] = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 143, "no-images": 2}

    @property
    def bytes_saved(self) -> int:
        """Return the number of bytes by which the outputs are smaller than their sources; negative if they are larger."""
        return self.bytes_in - self.bytes_out

    @property
    def is_complete(self) -> bool:
        """Return whether every image that was found has an outcome."""
        return self.reason == FINISHED and not self.counts.pending

    @property
    def exit_code(self) -> int:
        """Return 0 if all images are done, 1 if images failed, 2 without images, 3 if it was stopped, 128 + n for signal n."""
        if not self.is_complete:
            return self.EXIT_CODES.get(self.reason, 3)
        return 1 if self.counts.failed else 0


def summarise(
    snapshot: MetricsSnapshot,
    ignored: Mapping[str, int],
    *,
    patterns: tuple[PatternCount, ...] = (),
    other_images: Mapping[str, FailureKind] = MappingProxyType({}),
    makes: tuple[str, ...] = (),
) -> Report:
    """Return the report of the metrics in ``snapshot``."""
    measures = snapshot.measures
    notes = _group(measures, "note.")
    return Report(
        counts=snapshot.counts,
        remembered=snapshot.remembered,
        failures=snapshot.failures,
        left_alone=snapshot.left_alone,
        left_alone_keys=snapshot.left_alone_keys,
        ignored={reason: count for reason, count in ignored.items() if count},
        patterns=patterns,
        other_images=dict(other_images),
        notes=notes,
        scores=_group(measures, "score."),
        outputs=measures.get("outputs", 0),
        bytes_in=measures.get("bytes_in", 0),
        bytes_out=measures.get("bytes_out", 0),
        pixels_in=measures.get("pixels_in", 0),
        retries=snapshot.retries,
        throttled=snapshot.throttled,
        workers=snapshot.workers,
        workers_lost=snapshot.workers_lost,
        seconds=snapshot.seconds,
        rate=snapshot.rate,
        stages=snapshot.stages,
        slowest=snapshot.slowest,
        reason=snapshot.reason or FINISHED,
        reason_code=snapshot.reason_code,
        makes=makes,
    )


def _group(measures: Mapping[str, int], prefix: str) -> dict[str, int]:
    """Return the measures whose names start with ``prefix``, by the rest of their names."""
    return {name.removeprefix(prefix): count for name, count in measures.items() if name.startswith(prefix)}
