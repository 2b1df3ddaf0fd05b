"""The cached live page: rendered at most once a second for any number of viewers, and not at all without any."""

import threading
from collections.abc import Callable, Mapping

import msgspec

from pixmill.batch.live.page.sections import PageState

REFRESH_INTERVAL = 1.0  # seconds between two states
WATCHED_FOR = 5.0  # seconds after the last request during which the page counts as watched


class PageDelta(msgspec.Struct, frozen=True, kw_only=True):
    """The changes since another version: the ``parts`` that changed; an empty part has been removed."""

    version: int
    parts: Mapping[str, str]
    title: str
    spoken: str
    is_over: bool


class PageCache:
    """Keeps the latest state and returns the changes since an earlier version. ``clock`` is monotonic, in seconds."""

    def __init__(self, compose: Callable[[bool], PageState], *, clock: Callable[[], float]) -> None:
        """Compose nothing yet. ``compose`` is called with whether the run is over."""
        self._compose = compose
        self._clock = clock
        self._changed = threading.Condition()
        self._state: PageState | None = None
        self._versions: dict[str, int] = {}
        self._version = 0
        self._due = 0.0
        self._last_request = -WATCHED_FOR
        self._is_over = False

    @property
    def is_watched(self) -> bool:
        """Return whether the page was requested recently."""
        return self._clock() - self._last_request < WATCHED_FOR

    def now(self) -> PageDelta:
        """Return the complete page, at most a second old."""
        return self.wait_for_change(-1, timeout=0.0)

    def wait_for_change(self, version: int, *, timeout: float = REFRESH_INTERVAL) -> PageDelta:
        """Return the changes since ``version``, waiting up to ``timeout`` seconds for the next state or the end of the run."""
        with self._changed:
            self._last_request = self._clock()
            if version >= self._version and not self._is_over:
                self._changed.wait(min(timeout, max(0.0, self._due - self._clock())))
            self._last_request = self._clock()
            return self._since(self._refresh(), version)

    def end(self) -> None:
        """Wake all waiting requests with the final state."""
        with self._changed:
            self._is_over = True
            self._due = 0.0
            self._changed.notify_all()

    def _refresh(self) -> PageState:
        """Return the state, composed again if it is due."""
        now = self._clock()
        if self._state is None or now >= self._due:
            former = self._state.parts if self._state else {}
            self._state = self._compose(self._is_over)
            self._due = float("inf") if self._is_over else now + REFRESH_INTERVAL
            self._version += 1
            for name in {*former, *self._state.parts}:
                if former.get(name) != self._state.parts.get(name):
                    self._versions[name] = self._version
        return self._state

    def _since(self, state: PageState, version: int) -> PageDelta:
        parts = {name: state.parts.get(name, "") for name, changed in self._versions.items() if changed > version}
        return PageDelta(version=self._version, parts=parts, title=state.title, spoken=state.spoken, is_over=self._is_over)
