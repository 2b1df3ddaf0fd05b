"""Wait for a store that refuses requests or does not answer, for requests on which all images depend."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pixmill.core.errors import ImageError, RunError
from pixmill.core.humanize import duration_text
from pixmill.core.waits import STORE_TIMEOUT
from pixmill.storage.retry.policy import THROTTLED, UNREACHABLE, RetryPolicy

T = TypeVar("T")

HINT = "check the store and the connection to it, then run the same command again: it continues where it stopped"
HINT_THROTTLED = "run the same command again later to resume, with fewer --workers or a --max-rate"


class OutagePolicy(RetryPolicy):
    """Retries without a limit on their number, and ends the run after its timeout: ``RunError``, not an image's error.

    ``is_known``: the store has responded to this run before, so that its address is not in doubt. ``waiting`` is the message of the
    error because of which it has been waiting for more than ``SHOWN_AFTER`` seconds; empty if nothing waits. While a listing with
    this policy ``idles``, it is empty for the moment instead of blocking its reader. With ``reuses``, a listing
    may be answered from one within the last minute.
    """

    SHOWN_AFTER = 5.0

    def __init__(
        self,
        timeout: float = STORE_TIMEOUT,
        *,
        is_known: bool = False,
        idles: bool = False,
        reuses: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wait for up to ``timeout`` seconds for each request."""
        self.idles, self.reuses = idles, reuses
        super().__init__(deadline=timeout, is_budgeted=False, on_pause=self._note, clock=clock)
        self._has_responded = is_known
        self._timeout = timeout
        self._lock = threading.Lock()
        self._since: dict[int, tuple[float, str]] = {}

    @property
    def waiting(self) -> str:
        """Return why requests have been waiting for a while."""
        with self._lock:
            since, message = min(self._since.values(), default=(0.0, ""))
        return message if message and self._clock() - since >= self.SHOWN_AFTER else ""

    def call(self, request: Callable[[], T]) -> T:
        """Return the result of ``request``; ``RunError`` when it could not be had in time."""
        try:
            return super().call(request)
        except ImageError as error:
            if not error.retryable:
                raise
            raise store_away(error, self._timeout if self._has_responded else 0.0) from None
        finally:
            with self._lock:
                self._since.pop(threading.get_ident(), None)

    def _note(self, error: Exception, seconds: float) -> None:
        del seconds
        with self._lock:
            since, _ = self._since.get(threading.get_ident(), (self._clock(), ""))
            self._since[threading.get_ident()] = (since, str(error))


def store_away(error: ImageError, timeout: float) -> RunError:
    """Return the error that ends a run after ``timeout`` seconds of errors such as this; 0 if the store has never responded."""
    message = f"the store has not recovered within {duration_text(timeout)}: {error.message}" if timeout else error.message
    code = error.code if error.code in RunError.codes else UNREACHABLE
    return RunError(message, code=code, hint=HINT_THROTTLED if code == THROTTLED else HINT)
