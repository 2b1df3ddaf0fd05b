"""The pictures of the images that were done last, made while somebody looks, and few of them."""

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

KEPT = 8  # pictures; each is some 20 kB before and as much after
PAUSE = 2.0  # seconds between two pictures, or more:
SHARE = 0.005  # of the machine's time is what pictures may take
START = 0.25  # seconds of processor time that a worker takes to start
IDLE_TIMEOUT = 30.0  # seconds without anybody looking after which the worker goes home


class NumberedPreview(msgspec.Struct, frozen=True):
    """A picture with the number that it is asked for by."""

    number: int
    shown: Preview


class PreviewFeed:
    """Makes pictures of ``latest()`` as long as ``is_watched()``, and keeps the last eight.

    One comes every two seconds, or less often: as many as cost 0.5 % of what the ``cores`` can do, the start of their worker
    included. Only the first is lent, to be there soon; the next comes when both have been earned. ``options`` is asked for when
    the first picture is wanted. What cannot be shown is left out: nobody's work depends on it.
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
        """Make nothing yet. ``clock`` gives seconds that only grow."""
        self._latest = latest
        self._is_watched = is_watched
        self._options = options
        self._allowance = SHARE * cores
        self._clock = clock
        self._framed: deque[NumberedPreview] = deque(maxlen=KEPT)
        self._made = 0
        self._seen: ImageSummary | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)

    @property
    def pictures(self) -> tuple[NumberedPreview, ...]:
        """Return the pictures, the youngest first."""
        return tuple(reversed(tuple(self._framed)))

    def open(self) -> None:
        """Begin."""
        with suppress(RuntimeError):  # where no thread is to be had there are no pictures
            self._thread.start()

    def close(self) -> None:
        """End, and see the worker off."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(PAUSE):
            if self._is_watched():
                with suppress(PixmillError), PreviewWorker(self._options()) as studio:
                    self._attend(studio)

    def _attend(self, studio: PreviewWorker) -> None:
        """Make pictures until nobody has looked for a while, each when there is time to spare for it."""
        owed, is_lent, now = START, False, self._clock()
        looked_at = now
        while now - looked_at < IDLE_TIMEOUT:
            if self._is_watched():
                looked_at = now
                if not owed or not is_lent:
                    cost = self._add(studio)
                    owed, is_lent = owed + cost, is_lent or cost > 0
            if self._over.wait(PAUSE):
                return
            before, now = now, self._clock()
            owed = max(0.0, owed - self._allowance * (now - before))

    def _add(self, studio: PreviewWorker) -> float:
        """Make one picture if there is a new image, and return the seconds of processor time that it cost."""
        picture = self._latest()
        if picture is None or picture is self._seen:
            return 0.0
        self._seen = picture
        shown, seconds = studio.make(picture, is_wanted=lambda: not self._over.is_set())
        if shown is not None:
            self._made += 1
            self._framed.append(NumberedPreview(self._made, shown))
        return seconds
