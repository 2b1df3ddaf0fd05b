"""Ask a server for one thing: connections that lead where they should, redirections that end, turns that are kept."""

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
from pixmill.core.text import printable
from pixmill.storage.web.errors import _GONE, _PASSING, _REFUSED, retry_after, translate_error
from pixmill.storage.web.host_limiter import HostLimiter
from pixmill.storage.web.policy import RequestPolicy
from pixmill.storage.web.resolver import Lookup, allowed_addresses, resolve
from pixmill.storage.web.url import PORTS, Url, redacted, redirected

REDIRECTS = 5
READ_TIMEOUT = 20.0  # seconds without a byte, or for a connection to be made, after which a server is given up
_KEPT = 16  # connections that stay open
_MOVED = frozenset({301, 302, 303, 307, 308})
_THROTTLED = frozenset({429, 503})
_HEADERS = {"User-Agent": "pixmill", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}


class Client:
    """Asks servers on ``terms``. One thread at a time; connections are kept for the next request."""

    def __init__(
        self,
        terms: RequestPolicy,
        *,
        silence: float = READ_TIMEOUT,
        lookup: Lookup = resolve,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Connect to nothing yet."""
        self._policy = terms
        self._silence = silence
        self._lookup = lookup
        self._clock = clock
        self._connections: OrderedDict[str, http.client.HTTPConnection] = OrderedDict()
        weakref.finalize(self, _close, self._connections)

    @contextmanager
    def request(self, method: str, text: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to a request once it is one with content; ``ReadError`` says why there is none.

        What is not read of it is thrown away, and so is the connection. An error while it is read is explained, too.
        """
        url = Url.parse(text)
        for _ in range(REDIRECTS + 1):
            turn = self._limiter.slot(f"{url.host}:{url.port}")
            with turn, self._translating_errors(url), closing(self._sent(method, url, headers)) as response:
                if response.status not in _MOVED:
                    self._check(response, url)
                    yield response
                    self._return_to_pool(url, response)
                    return
                location = response.headers.get("Location", "")
                self._discard(url)
            url = redirected(url, location)
        raise ReadError(f"{redacted(text)} leads on and on: more than {REDIRECTS} redirections", code="read-url")

    def _sent(self, method: str, url: Url, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Send the request; again over a new connection when the one that was kept had been closed meanwhile."""
        kept = self._connections.get(url.origin)
        if kept is not None:
            with suppress(ConnectionError, http.client.BadStatusLine, http.client.ImproperConnectionState):
                return _exchanged(kept, method, url, headers)
            self._discard(url)
        connection = self._connections[url.origin] = self._connected(url)
        while len(self._connections) > _KEPT:
            self._connections.popitem(last=False)[1].close()
        return _exchanged(connection, method, url, headers)

    def _connected(self, url: Url) -> http.client.HTTPConnection:
        """Return a connection to one of the addresses that were checked, and to no other."""
        addresses = allowed_addresses(url.host, url.port, private=self._policy.allow_private, lookup=self._lookup)
        connection = http.client.HTTPConnection(url.host, url.port, timeout=self._silence)
        connection.default_port = PORTS[url.scheme]
        connection.auto_open = 0  # it would look the host up by itself
        for number, address in enumerate(addresses, 1):
            try:
                connection.sock = socket.create_connection((address, url.port), timeout=self._silence)
                break
            except OSError:
                if number == len(addresses):
                    raise
        if url.scheme == "https":
            connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=url.host)
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @cached_property
    def _limiter(self) -> HostLimiter:
        return HostLimiter(most=self._policy.per_host, rate=self._policy.rate)

    @contextmanager
    def _translating_errors(self, url: Url) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._discard(url)
            meaning = translate_error(error, url)
            if meaning is None:
                raise
            try:
                raise meaning from None
            finally:
                del meaning  # its traceback leads here, and would keep this client and its connections until a collection

    def _check(self, response: http.client.HTTPResponse, url: Url) -> None:
        status = response.status
        if 200 <= status < 300:  # noqa: PLR2004  # the statuses of success, RFC 9110
            return
        pause = 0.0
        if status in _THROTTLED:
            code, pause = "throttled", retry_after(response.headers.get("Retry-After", ""), self._clock())
        else:
            code = "read-vanished" if status in _GONE else "read-denied" if status in _REFUSED else ""
        message = f"{redacted(str(url))} was answered with {status} {printable(response.reason)[:60]}".rstrip()
        raise ReadError(message, code=code, retryable=status in _THROTTLED | _PASSING, retry_after=pause)

    def _return_to_pool(self, url: Url, response: http.client.HTTPResponse) -> None:
        """Keep the connection if all that was sent has been read."""
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


def _exchanged(
    connection: http.client.HTTPConnection, method: str, url: Url, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    connection.request(method, url.target, headers={**_HEADERS, **headers})
    return connection.getresponse()
