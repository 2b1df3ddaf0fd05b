"""The HTTP server of the live page."""

import logging
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from pixmill.batch.live.http.routes import Request, Routes
from pixmill.core.bounded_server import IDLE_TIMEOUT, BoundedServer
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError

SHUTDOWN_TIMEOUT = 1.0  # seconds to finish the last responses when the run is over

_log = logging.getLogger(__name__)


class Server:
    """Serves ``routes`` at ``endpoint``, in its own threads, until it is closed."""

    def __init__(self, endpoint: Endpoint, routes: Routes) -> None:
        """Start listening; ``ConfigError`` if the port is not available."""
        try:
            self._listener = _Server(endpoint, routes)
        except OSError as error:
            hint = "use another port: --serve PORT; 0 picks a free one"
            raise ConfigError(f"cannot listen on {endpoint}: {error.strerror}", hint=hint) from error
        self._thread = threading.Thread(target=self._listener.serve_forever, name="live page", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self._listener.server_address[1])

    def close(self) -> None:
        """Finish the last responses and stop listening."""
        self._listener.drain(SHUTDOWN_TIMEOUT)
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Server(BoundedServer):
    def __init__(self, endpoint: Endpoint, routes: Routes) -> None:
        self.routes = routes
        self._active_requests = 0
        super().__init__((endpoint.host, endpoint.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002  # as above
        """Log the error only: the client disconnected, or sent an invalid request. The run must not be affected."""
        _log.debug("a request to the live page failed", exc_info=True)

    def track_requests(self, change: int) -> None:
        """Change the number of active requests by ``change``."""
        with self.changed:
            self._active_requests += change
            self.changed.notify_all()

    def drain(self, timeout: float) -> None:
        """Wait for active requests to finish, then close all connections."""
        with self.changed:
            self.changed.wait_for(lambda: not self._active_requests, timeout)
            for connection in self.connections:
                with suppress(OSError):  # the client has already closed it
                    connection.shutdown(socket.SHUT_RD)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # the name that the standard library calls
        """Answer any request."""
        listener = cast("_Server", self.server)
        self.close_connection = self.close_connection or self.command not in ("GET", "HEAD")  # what follows may be a body
        listener.track_requests(1)
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = listener.routes.respond(Request(method=self.command, target=self.path, headers=headers))
            self.send_response(response.status)
            for name, value in (
                *response.headers,
                ("Content-Type", response.content_type),
                ("Content-Length", str(len(response.body))),
            ):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
        finally:
            listener.track_requests(-1)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # as above

    def version_string(self) -> str:
        """Return the name of the server."""
        return "pixmill"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Log nothing: the terminal belongs to the run."""
