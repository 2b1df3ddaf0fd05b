"""An HTTP client for single requests: it connects only to allowed addresses, bounds redirects, and respects the limits per host."""

import http.client
import socket
import ssl
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cached_property

from pixmill.core.errors import ReadError
from pixmill.core.text import printable, redacted
from pixmill.storage.web.errors import DENIED, GONE, TRANSIENT, retry_after, translate_error
from pixmill.storage.web.host_limiter import HostLimiter
from pixmill.storage.web.policy import RequestPolicy
from pixmill.storage.web.resolver import Lookup, allowed_addresses, resolve
from pixmill.storage.web.timed_socket import TimedSocket
from pixmill.storage.web.url import PORTS, Url, redirected

MAX_REDIRECTS = 5
_MAX_OPEN_CONNECTIONS = 16
_MOVED = frozenset({301, 302, 303, 307, 308})
_THROTTLED = frozenset({429, 503})
_HEADERS = {"User-Agent": "pixmill", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}


class Client:
    """Sends requests under ``policy``. For one thread at a time; connections are reused."""

    def __init__(
        self,
        policy: RequestPolicy,
        *,
        lookup: Lookup = resolve,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Connect to nothing yet."""
        self._policy = policy
        self._lookup = lookup
        self._clock = clock
        self._connections: OrderedDict[str, http.client.HTTPConnection] = OrderedDict()
        weakref.finalize(self, _close, self._connections)

    @contextmanager
    def request(self, method: str, text: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """Give the response to a request, following redirects; ``ReadError`` if it is not a success.

        If the caller does not read all of it, the connection is discarded. Errors while it is read are translated, too.
        """
        url = Url.parse(text)
        for _ in range(MAX_REDIRECTS + 1):
            slot = self._limiter.slot(f"{url.host}:{url.port}")
            with slot, self._translating_errors(url), closing(self._sent(method, url, headers)) as response:
                if response.status not in _MOVED:
                    self._check(response, url)
                    yield response
                    self._return_to_pool(url, response)
                    return
                location = response.headers.get("Location", "")
                self._discard(url)
            url = redirected(url, location)
        raise ReadError(f"{redacted(text)} redirects more than {MAX_REDIRECTS} times", code="read-url")

    def _sent(self, method: str, url: Url, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Send the request; again over a new connection if the server had closed the reused one."""
        reused = self._connections.get(url.origin)
        if reused is not None:
            with suppress(ConnectionError, http.client.BadStatusLine, http.client.ImproperConnectionState):
                return self._exchanged(reused, method, url, headers)
            self._discard(url)
        connection = self._connections[url.origin] = self._connected(url)
        while len(self._connections) > _MAX_OPEN_CONNECTIONS:
            self._connections.popitem(last=False)[1].close()
        return self._exchanged(connection, method, url, headers)

    def _exchanged(
        self, connection: http.client.HTTPConnection, method: str, url: Url, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        timed: TimedSocket = connection.sock  # type: ignore[assignment]  # see ``_connected``
        timed.start(self._policy.timeout)
        connection.request(method, url.target, headers={**_HEADERS, **headers})
        return connection.getresponse()

    def _connected(self, url: Url) -> http.client.HTTPConnection:
        """Return a connection to one of the checked addresses, and to no other."""
        addresses = allowed_addresses(url.host, url.port, allow_private=self._policy.allow_private, lookup=self._lookup)
        connection = http.client.HTTPConnection(url.host, url.port)
        connection.default_port = PORTS[url.scheme]
        connection.auto_open = 0  # it would resolve the host itself
        for number, address in enumerate(addresses, 1):
            try:
                sock = socket.create_connection((address, url.port), timeout=self._policy.read_timeout)
                break
            except OSError:
                if number == len(addresses):
                    raise
        if url.scheme == "https":
            sock = self._tls.wrap_socket(sock, server_hostname=url.host)
        connection.sock = TimedSocket(sock, silence=self._policy.read_timeout)
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @cached_property
    def _limiter(self) -> HostLimiter:
        return HostLimiter(max_concurrency=self._policy.per_host, rate=self._policy.rate)

    @contextmanager
    def _translating_errors(self, url: Url) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._discard(url)
            translated = translate_error(error, url)
            if translated is None:
                raise
            try:
                raise translated from None
            finally:
                del translated  # its traceback refers to this frame, and would keep client and connections until a collection

    def _check(self, response: http.client.HTTPResponse, url: Url) -> None:
        status = response.status
        if 200 <= status < 300:  # noqa: PLR2004  # the status codes of success, RFC 9110
            return
        pause = 0.0
        if status in _THROTTLED:
            code, pause = "throttled", retry_after(response.headers.get("Retry-After", ""), self._clock())
        else:
            code = "read-vanished" if status in GONE else "read-denied" if status in DENIED else ""
        message = f"{redacted(str(url))} could not be read: the server returned {status} {printable(response.reason)[:60]}".rstrip()
        raise ReadError(message, code=code, retryable=status in _THROTTLED | TRANSIENT, retry_after=pause)

    def _return_to_pool(self, url: Url, response: http.client.HTTPResponse) -> None:
        """Keep the connection for reuse if the response has been read completely."""
        if not response.isclosed() or response.will_close:
            self._discard(url)
        elif url.origin in self._connections:
            self._connections.move_to_end(url.origin)

    def _discard(self, url: Url) -> None:
        connection = self._connections.pop(url.origin, None)
        if connection is not None:
            connection.close()


def _close(connections: Mapping[str, http.client.HTTPConnection]) -> None:
    for connection in connections.values():
        connection.close()
