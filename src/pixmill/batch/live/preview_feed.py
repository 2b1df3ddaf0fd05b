"""A few previews of the latest images, made only while the page is watched."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec

from pixmill.batch.live.preview_worker import PreviewWorker
from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import Preview, PreviewOptions
from pixmill.core.errors import PixmillError

MAX_PREVIEWS = 8  # previews; each takes about 70 kB before and 70 kB after
MIN_INTERVAL = 2.0  # seconds between two previews, more if needed to respect CPU_SHARE
CPU_SHARE = 0.005  # of the machine's processor time may be spent on previews
WORKER_START_CPU = 0.25  # seconds of processor time that a worker takes to start
IDLE_TIMEOUT = 30.0  # seconds without a viewer after which the worker ends


class NumberedPreview(msgspec.Struct, frozen=True):
    """A preview with the number that identifies it in requests."""

    number: int
    preview: Preview


class PreviewFeed:
    """Makes previews of ``latest()`` while ``is_watched()``, and keeps the last eight.

    A preview is made every two seconds, or less often: together they may take 0.5 % of the processor time of the ``cores``,
    including the start of the worker. Only the first is made in advance of its budget, to appear soon; the next follows when
    both are paid for. ``options`` is called when the first preview is needed. Images without a preview are left out: nothing
    depends on them.
    """

    def __init__(
        self,
        latest: Callable[[], ImageSummary | None],
        is_watched: Callable[[], bool],
        options: Callable[[], PreviewOptions],
        *,
        cores: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make nothing yet. ``clock`` is monotonic, in seconds."""
        self._latest = latest
        self._is_watched = is_watched
        self._options = options
        self._allowance = CPU_SHARE * cores
        self._clock = clock
        self._kept: deque[NumberedPreview] = deque(maxlen=MAX_PREVIEWS)
        self._made = 0
        self._last_image: ImageSummary | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="previews", daemon=True)

    @property
    def previews(self) -> tuple[NumberedPreview, ...]:
        """Return the previews, newest first."""
        return tuple(reversed(tuple(self._kept)))

    def open(self) -> None:
        """Start the thread."""
        with suppress(RuntimeError):  # no previews if no thread can be started
            self._thread.start()

    def close(self) -> None:
        """Stop the thread and its worker."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._closed.wait(MIN_INTERVAL):
            if self._is_watched():
                with suppress(PixmillError), PreviewWorker(self._options()) as worker:
                    self._make_while_watched(worker)

    def _make_while_watched(self, worker: PreviewWorker) -> None:
        """Make previews, each when the budget allows it, until the page has not been watched for a while."""
        cpu_debt, has_advance, now = WORKER_START_CPU, False, self._clock()
        last_watched = now
        while now - last_watched < IDLE_TIMEOUT:
            if self._is_watched():
                last_watched = now
                if not cpu_debt or not has_advance:
                    cost = self._add_preview(worker)
                    cpu_debt, has_advance = cpu_debt + cost, has_advance or cost > 0
            if self._closed.wait(MIN_INTERVAL):
                return
            before, now = now, self._clock()
            cpu_debt = max(0.0, cpu_debt - self._allowance * (now - before))

    def _add_preview(self, worker: PreviewWorker) -> float:
        """Make one preview if there is a new image, and return the processor time that it took, in seconds."""
        image = self._latest()
        if image is None or image is self._last_image:
            return 0.0
        self._last_image = image
        preview, seconds = worker.make(image, is_wanted=lambda: not self._closed.is_set())
        if preview is not None:
            self._made += 1
            self._kept.append(NumberedPreview(self._made, preview))
        return seconds
