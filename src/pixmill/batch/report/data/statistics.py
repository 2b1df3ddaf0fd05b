"""Statistics of a ledger in one pass over its records, in constant memory: totals, error classes, extremes, a sample."""

import random
from collections import Counter
from collections.abc import Iterable

import msgspec

from pixmill.batch.config.hints import Hints
from pixmill.batch.item import ImageResult, unpack
from pixmill.batch.report.data.sampling import ReservoirSample, TopK
from pixmill.batch.report.data.timeline import Timeline
from pixmill.engine.ledger import Record
from pixmill.engine.task import Counts, Failure, State

MAX_FILES_PER_ERROR = 50  # files listed for each class of errors
TOP_COUNT = 10  # images in each top list
TENTHS = 10


class ImageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One image that is done: its key, its first output, its processing time in seconds, and its size in bytes before and after.

    ``bytes_out`` is the total of all outputs.
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
    """One image that failed, and its failure."""

    key: bytes
    failure: Failure
    attempts: int


class ErrorClass(msgspec.Struct):
    """All failures with one code: their count, and the first files."""

    count: int = 0
    files: list[FailedFile] = msgspec.field(default_factory=list)


class FormatTotal(msgspec.Struct):
    """All outputs of one format."""

    count: int = 0
    size: int = 0


class LedgerStatistics:
    """Adds up records. Read its fields after all records have been added.

    ``shares``: the number of images whose output has up to 10 %, 20 %, ... 100 % of the bytes of its source; the last counts
    those that grew. Only images with a single output count in ``shares`` and ``grown``: with several sizes of one source the
    comparison is meaningless. ``toolsets``: the number of images by the set of libraries that made them.
    """

    def __init__(self, began: float, *, sample_size: int, rng: random.Random) -> None:
        """Start empty: time is measured from ``began``; keep a sample of ``sample_size`` images, drawn with ``rng``."""
        self.timeline = Timeline(began)
        self.state_counts: Counter[State] = Counter()
        self.bytes_in = self.bytes_out = self.outputs = 0
        self.notes: Counter[str] = Counter()
        self.toolsets: Counter[int] = Counter()
        self.formats: dict[str, FormatTotal] = {}
        self.errors: dict[str, ErrorClass] = {}
        self.hints = Hints()
        self.shares = [0] * (TENTHS + 1)
        self.grown = 0
        self.rejected: Counter[str] = Counter()
        self.slowest: TopK[ImageSummary] = TopK(TOP_COUNT)
        self.largest: TopK[ImageSummary] = TopK(TOP_COUNT)
        self.grew_most: TopK[ImageSummary] = TopK(TOP_COUNT)
        self.sample: ReservoirSample[ImageSummary] = ReservoirSample(sample_size, rng)

    @property
    def counts(self) -> Counts:
        """Return the number of records in each state."""
        counts = self.state_counts
        return Counts(done=counts[State.DONE], failed=counts[State.FAILED], pending=counts[State.PENDING])

    def add(self, records: Iterable[Record]) -> None:
        """Add ``records``."""
        for record in records:
            self.state_counts[record.state] += 1
            if record.state == State.DONE:
                self._add_done(record, unpack(record.result))
            elif record.failure is not None:
                self._add_failed(record, record.failure)

    def _add_failed(self, record: Record, failure: Failure) -> None:
        self.timeline.add(record.finished_at, failed=True)
        kind = self.errors.setdefault(failure.code, ErrorClass())
        kind.count += 1
        self.hints.add(failure)
        if len(kind.files) < MAX_FILES_PER_ERROR:
            kind.files.append(FailedFile(record.key, failure, record.attempts))

    def _add_done(self, record: Record, product: ImageResult) -> None:
        self.timeline.add(record.finished_at, failed=False)
        if product.rejected:
            self.rejected[product.rejected] += 1
            return
        self.notes.update(product.notes)
        self.toolsets[product.toolset] += 1
        self.bytes_in += product.source_size
        self.outputs += len(product.outputs)
        for output in product.outputs:
            self.bytes_out += output.size
            total = self.formats.setdefault(output.format, FormatTotal())
            total.count += 1
            total.size += output.size
        if product.outputs:
            self._rank(image_summary(record, product), is_single=len(product.outputs) == 1)

    def _rank(self, image: ImageSummary, *, is_single: bool) -> None:
        self.slowest.offer(image.seconds, image)
        self.largest.offer(image.bytes_in, image)
        self.sample.offer(image)
        if is_single and image.bytes_in:
            growth = image.bytes_out - image.bytes_in
            self.shares[min(TENTHS, max(0, (image.bytes_out * TENTHS - 1) // image.bytes_in))] += 1
            if growth > 0:
                self.grown += 1
                self.grew_most.offer(growth, image)


def image_summary(record: Record, product: ImageResult) -> ImageSummary:
    """Return the summary of ``record``, which must have at least one output."""
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
