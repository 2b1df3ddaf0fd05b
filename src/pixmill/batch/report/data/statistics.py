"""What a ledger tells about the work in one pass over its records, in constant memory: totals, classes, extremes, a sample."""

import random
from collections import Counter
from collections.abc import Iterable

import msgspec

from pixmill.batch.item import ImageResult, unpack
from pixmill.batch.report.data.sampling import ReservoirSample, TopK
from pixmill.batch.report.data.timeline import Timeline
from pixmill.engine.ledger import Record
from pixmill.engine.task import Counts, Failure, State

EXAMPLES = 50  # files listed of each class of errors
EXTREMES = 10  # rows of each list
TENTHS = 10


class ImageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One image that was done: its key, its first output, the seconds that it took, and its bytes before and after.

    ``bytes_out`` is of all outputs together.
    """

    key: bytes
    output: bytes
    rendition: str
    format: str
    width: int
    height: int
    seconds: float
    bytes_in: int
    bytes_out: int


class FailedFile(msgspec.Struct, frozen=True):
    """One image that failed, and why."""

    key: bytes
    failure: Failure
    attempts: int


class ErrorClass(msgspec.Struct):
    """All failures with one code: how many, and the first files."""

    count: int = 0
    files: list[FailedFile] = msgspec.field(default_factory=list)


class FormatTotal(msgspec.Struct):
    """All outputs of one format."""

    count: int = 0
    size: int = 0


class LedgerStatistics:
    """Adds up records. Read its fields once all have been added.

    ``shares``: how many images whose output has up to 10 %, 20 %, ... 100 % of the bytes of its source; the last counts those
    that grew. Only images of a single output are in ``shares`` and ``grown``: several sizes of one source say nothing there.
    """

    def __init__(self, began: float, *, pictures: int, chance: random.Random) -> None:
        """Start at nought: time counts from ``began``; keep a sample of so many ``pictures``."""
        self.timeline = Timeline(began)
        self.counted: Counter[State] = Counter()
        self.bytes_in = self.bytes_out = self.outputs = 0
        self.notes: Counter[str] = Counter()
        self.formats: dict[str, FormatTotal] = {}
        self.errors: dict[str, ErrorClass] = {}
        self.shares = [0] * (TENTHS + 1)
        self.grown = 0
        self.slowest: TopK[ImageSummary] = TopK(EXTREMES)
        self.largest: TopK[ImageSummary] = TopK(EXTREMES)
        self.grew_most: TopK[ImageSummary] = TopK(EXTREMES)
        self.sample: ReservoirSample[ImageSummary] = ReservoirSample(pictures, chance)

    @property
    def counts(self) -> Counts:
        """Return how many records there are of each kind."""
        counted = self.counted
        return Counts(done=counted[State.DONE], failed=counted[State.FAILED], pending=counted[State.PENDING])

    def add(self, records: Iterable[Record]) -> None:
        """Take ``records``."""
        for record in records:
            self.counted[record.state] += 1
            if record.state == State.DONE:
                self._add_done(record, unpack(record.result))
            elif record.failure is not None:
                self._add_failed(record, record.failure)

    def _add_failed(self, record: Record, failure: Failure) -> None:
        self.timeline.add(record.finished_at, failed=True)
        kind = self.errors.setdefault(failure.code, ErrorClass())
        kind.count += 1
        if len(kind.files) < EXAMPLES:
            kind.files.append(FailedFile(record.key, failure, record.attempts))

    def _add_done(self, record: Record, product: ImageResult) -> None:
        self.timeline.add(record.finished_at, failed=False)
        self.notes.update(product.notes)
        self.bytes_in += product.source_size
        self.outputs += len(product.outputs)
        for output in product.outputs:
            self.bytes_out += output.size
            total = self.formats.setdefault(output.format, FormatTotal())
            total.count += 1
            total.size += output.size
        if product.outputs:
            self._rank(image_summary(record, product), is_single=len(product.outputs) == 1)

    def _rank(self, picture: ImageSummary, *, is_single: bool) -> None:
        self.slowest.offer(picture.seconds, picture)
        self.largest.offer(picture.bytes_in, picture)
        self.sample.offer(picture)
        if is_single and picture.bytes_in:
            growth = picture.bytes_out - picture.bytes_in
            self.shares[min(TENTHS, max(0, (picture.bytes_out * TENTHS - 1) // picture.bytes_in))] += 1
            if growth > 0:
                self.grown += 1
                self.grew_most.offer(growth, picture)


def image_summary(record: Record, product: ImageResult) -> ImageSummary:
    """Return the image of ``record`` with the first of its outputs, of which there must be one."""
    first = product.outputs[0]
    return ImageSummary(
        key=record.key,
        output=first.name,
        rendition=first.rendition,
        format=first.format,
        width=first.width,
        height=first.height,
        seconds=record.seconds,
        bytes_in=product.source_size,
        bytes_out=sum(output.size for output in product.outputs),
    )
