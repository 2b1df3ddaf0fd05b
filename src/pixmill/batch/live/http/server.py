"""HTTP for the live page: the server of the standard library, kept within bounds. One thread for each of a few connections."""

import logging
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from pixmill.batch.live.http.routes import Request, Routes
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError

CONNECTIONS = 32  # at once; who comes then is sent away
SILENCE = 30  # seconds after which a connection without a question is closed
FAREWELL = 1.0  # seconds that the last answers may take when the run is over

_log = logging.getLogger(__name__)


class Server:
    """Listens at ``endpoint`` for questions to ``site``, in threads of its own, until it is closed."""

    def __init__(self, endpoint: Endpoint, site: Routes) -> None:
        """Listen from now on; ``ConfigError`` when the port cannot be had."""
        try:
            self._listener = _Server(endpoint, site)
        except OSError as error:
            hint = "name another port: --serve PORT; 0 is any that is free"
            raise ConfigError(f"{endpoint} cannot be listened on: {error.strerror}", hint=hint) from error
        self._thread = threading.Thread(target=self._listener.serve_forever, name="live page", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self._listener.server_address[1])

    def close(self) -> None:
        """Give the last answers, and listen no more."""
        self._listener.finish(FAREWELL)
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: Endpoint, site: Routes) -> None:
        self.address_family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        self.site = site
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._answering = 0
        super().__init__((endpoint.host, endpoint.port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking for the name of the host, which can take long where there is no resolver."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(cast("tuple[str, int]", self.server_address))
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the standard library has it
        """Take the connection, unless there are too many."""
        with self._changed:
            is_welcome = len(self._connections) < CONNECTIONS
            if is_welcome:
                self._connections.add(request)
        if is_welcome:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as above
        """Let go of the connection."""
        with self._changed:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002  # as above
        """Leave the run alone: whoever asked is gone, or has asked what nobody can answer."""
        _log.debug("a question to the live page was not answered", exc_info=True)

    def count(self, more: int) -> None:
        """Note that ``more`` questions are being answered."""
        with self._changed:
            self._answering += more
            self._changed.notify_all()

    def finish(self, patience: float) -> None:
        """Wait for the answers under way, then hang up."""
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, patience)
            for connection in self._connections:
                with suppress(OSError):  # its other end has hung up already
                    connection.shutdown(socket.SHUT_RD)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # the name that the standard library calls
        """Answer any question."""
        listener = cast("_Server", self.server)
        self.close_connection = self.close_connection or self.command not in ("GET", "HEAD")  # what follows may be a body
        listener.count(1)
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = listener.site.answer(Request(method=self.command, target=self.path, headers=headers))
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
        finally:
            listener.count(-1)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # as above

    def version_string(self) -> str:
        """Return who answers."""
        return "pixmill"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Keep quiet: the terminal belongs to the run."""
