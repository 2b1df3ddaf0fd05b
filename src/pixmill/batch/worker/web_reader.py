"""Read images of the web: with one request for each attempt, since the engine retries later and holds no worker meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pixmill.batch.worker.options import MAX_AHEAD_BYTES
from pixmill.core.errors import ReadError
from pixmill.core.humanize import duration_text
from pixmill.core.units import Duration
from pixmill.engine.failures import TIMEOUT, TIMEOUT_FACTOR
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import THROTTLED
from pixmill.storage.storage import Storage
from pixmill.storage.web.policy import RequestPolicy

PAUSE_AFTER_ERROR = 10.0  # seconds before another request: a server that starts again takes as long
PAUSE_AFTER_SILENCE = 1.0  # the request has already waited
_MIN_PAUSE, _MAX_PAUSE = 1.0, 30.0  # seconds, doubled with each refusal, for a host that does not say how long to wait
MAX_REFUSED_TIME = 600.0  # seconds without any answer but refusals, after which images of the host fail
_MAX_HOSTS = 1000
_WEB = (b"\0http://", b"\0https://")
_STALLED = "read-stalled"


def is_web(locator: bytes) -> bool:
    """Tell whether ``locator`` is the URL of an image on the web."""
    return locator.startswith(_WEB) and b"\0" not in locator[1:]


class HostPauses:
    """The hosts that have asked for fewer requests, and until when none is sent to them. May be used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without any."""
        self._clock = clock
        self._until: dict[bytes, tuple[float, float]] = {}  # by host: the end of the pause, and its length
        self._since: dict[bytes, float] = {}  # by host: the first refusal
        self._lock = threading.Lock()

    def left(self, host: bytes) -> float:
        """Return the seconds for which nothing is to be sent to ``host``."""
        with self._lock:
            return max(0.0, self._until.get(host, (0.0, 0.0))[0] - self._clock())

    def extend(self, host: bytes, asked: float) -> float:
        """Note a refusal that ``asked`` for a pause of so many seconds (0: did not say), and return the length of the pause.

        Refusals of requests that were sent before the last one was received lengthen nothing.
        """
        with self._lock:
            now = self._clock()
            self._since.setdefault(host, now)
            end, length = self._until.pop(host, (0.0, _MIN_PAUSE / 2))
            if end <= now:
                length = min(_MAX_PAUSE, 2 * length)
                end = now + length
            end = max(end, now + asked)
            while len(self._until) >= _MAX_HOSTS:
                self._forget(next(iter(self._until)))
            self._until[host] = end, length
            return end - now

    def clear(self, host: bytes) -> None:
        """Note that ``host`` has answered a request."""
        if host in self._until:
            with self._lock:
                self._forget(host)

    def refuses_for_good(self, host: bytes) -> bool:
        """Tell whether ``host`` has refused every request for so long that its images fail."""
        with self._lock:
            now = self._clock()
            return now - self._since.get(host, now) >= MAX_REFUSED_TIME

    def _forget(self, host: bytes) -> None:
        self._until.pop(host, None)
        self._since.pop(host, None)


class WebReader:
    """Reads by locators of the web. May be used by several threads: each has connections of its own."""

    def __init__(self, source: Address, *, limit: int, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Read images of at most ``limit`` bytes, each within ``timeout`` seconds, with the request policy of ``source``."""
        self._source = source
        self._timeout = timeout
        self._limit = limit
        self._local = threading.local()
        self._pauses = HostPauses(clock)

    def read(self, locator: bytes) -> bytes:
        """Return the complete content; a retryable ``ReadError`` says when to try again."""
        with self._delaying(locator) as storage:
            return storage.read(locator, limit=self._limit)

    def read_ahead(self, locator: bytes) -> bytes | None:
        """Return the complete content; ``None`` if that is too large to be held beside others."""
        limit = min(self._limit, MAX_AHEAD_BYTES)
        with self._delaying(locator) as storage:
            try:
                return storage.read(locator, limit=limit)
            except ReadError as error:
                if error.code != "limit-bytes" or limit == self._limit:
                    raise
                return None

    @contextmanager
    def _delaying(self, locator: bytes) -> Iterator[Storage]:
        """Give this thread's storage, and add to a transient error when to try again."""
        host = b"/".join(locator[1:].split(b"/", 3)[:3])
        pause = self._pauses.left(host)
        if pause:
            raise self._given_up(host) or ReadError(_asked(host), code=THROTTLED, retryable=True, retry_after=pause)
        began = time.monotonic()
        try:
            yield self._storage()
        except ReadError as error:
            if error.code == _STALLED and 0 < self._timeout <= time.monotonic() - began:
                raise _too_slow(error.message, self._timeout) from None
            if error.code == THROTTLED:
                error.retry_after = self._pauses.extend(host, error.retry_after)
                if given_up := self._given_up(host):
                    raise given_up from None
            elif error.retryable:
                error.retry_after = PAUSE_AFTER_SILENCE if error.code == _STALLED else PAUSE_AFTER_ERROR
            else:
                self._pauses.clear(host)  # that it has no such image is an answer, too
            raise
        self._pauses.clear(host)

    def _given_up(self, host: bytes) -> ReadError | None:
        """Return the error for an image of ``host`` if that has refused all requests for too long."""
        if not self._pauses.refuses_for_good(host):
            return None
        message = f"{_asked(host)}, and has answered none for {duration_text(MAX_REFUSED_TIME)}"
        return ReadError(message, hint="once it answers again, pixmill retry DST processes these images")

    def _storage(self) -> Storage:
        storage: Storage | None = getattr(self._local, "storage", None)
        if storage is None:
            location, _, fragment = self._source.location.partition(b"#")
            policy = msgspec.structs.replace(RequestPolicy.parse(fragment.decode("ascii")), timeout=self._timeout)
            address = Address(self._source.scheme, b"%s#%s" % (location, str(policy).encode()))
            storage = self._local.storage = open_storage(address)
        return storage


def _too_slow(message: str, timeout: float) -> ReadError:
    """Return the error for an image that took longer than ``timeout`` seconds to arrive: the one that a worker's deadline has."""
    options = {"timeout": str(Duration(round(timeout * TIMEOUT_FACTOR, 3)))}
    what = f"{message.partition(': ')[0]} within {Duration(timeout)}"
    return ReadError(
        what, code=TIMEOUT, hint="to give it more time", options=options, retryable=True, retry_after=PAUSE_AFTER_SILENCE
    )


def _asked(host: bytes) -> str:
    return f"{host.decode('ascii', 'replace')} has asked for fewer requests"
