"""The live page as everybody sees it: made at most once a second, however many look, and not at all while nobody does."""

import threading
from collections.abc import Callable, Mapping

import msgspec

from pixmill.batch.live.page.sections import PageState

INTERVAL = 1.0  # seconds between two moments
WATCHED_FOR = 5.0  # seconds after the last question for which somebody is taken to be looking


class PageDelta(msgspec.Struct, frozen=True, kw_only=True):
    """What is new since another version: the ``parts`` that changed; an empty one is there no more."""

    version: int
    parts: Mapping[str, str]
    title: str
    spoken: str
    is_over: bool


class PageCache:
    """Keeps the last moment and tells what has changed since an earlier one. ``clock`` gives seconds that only grow."""

    def __init__(self, compose: Callable[[bool], PageState], *, clock: Callable[[], float]) -> None:
        """Compose nothing yet. ``compose`` is told whether the run is over."""
        self._compose = compose
        self._clock = clock
        self._changed = threading.Condition()
        self._moment: PageState | None = None
        self._versions: dict[str, int] = {}
        self._version = 0
        self._due = 0.0
        self._asked_at = -WATCHED_FOR
        self._is_over = False

    @property
    def is_watched(self) -> bool:
        """Tell whether somebody has looked lately."""
        return self._clock() - self._asked_at < WATCHED_FOR

    def now(self) -> PageDelta:
        """Return the whole page, not older than a second."""
        return self.wait_for_change(-1, patience=0.0)

    def wait_for_change(self, version: int, *, patience: float = INTERVAL) -> PageDelta:
        """Return what has changed since ``version``, waiting up to ``patience`` seconds for the next moment, or the end."""
        with self._changed:
            self._asked_at = self._clock()
            if version >= self._version and not self._is_over:
                self._changed.wait(min(patience, max(0.0, self._due - self._clock())))
            self._asked_at = self._clock()
            return self._since(self._refreshed(), version)

    def end(self) -> None:
        """Have everybody who waits see the last moment."""
        with self._changed:
            self._is_over = True
            self._due = 0.0
            self._changed.notify_all()

    def _refreshed(self) -> PageState:
        """Return the moment, made anew when it is due."""
        now = self._clock()
        if self._moment is None or now >= self._due:
            former = self._moment.parts if self._moment else {}
            self._moment = self._compose(self._is_over)
            self._due = float("inf") if self._is_over else now + INTERVAL
            self._version += 1
            for name in {*former, *self._moment.parts}:
                if former.get(name) != self._moment.parts.get(name):
                    self._versions[name] = self._version
        return self._moment

    def _since(self, moment: PageState, version: int) -> PageDelta:
        parts = {name: moment.parts.get(name, "") for name, changed in self._versions.items() if changed > version}
        return PageDelta(version=self._version, parts=parts, title=moment.title, spoken=moment.spoken, is_over=self._is_over)
