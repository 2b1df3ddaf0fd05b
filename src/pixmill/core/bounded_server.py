"""A base of HTTP servers beside a run: few connections at a time, one thread for each, and no look-ups of host names."""

import socket
import threading
from http.server import HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, cast

MAX_CONNECTIONS = 32  # concurrent connections; further ones are closed
IDLE_TIMEOUT = 30  # seconds without a byte after which a handler should close its connection


class BoundedServer(ThreadingMixIn, HTTPServer):
    """Listens at ``server_address``; ``changed`` guards ``connections``, those that are open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS  # or clients would wait for seconds to be sent away

    def __init__(self, server_address: tuple[str, int], handler: Any) -> None:  # noqa: ANN401  # the standard library's signature
        """Start listening."""
        self.address_family = socket.AF_INET6 if ":" in server_address[0] else socket.AF_INET
        self.changed = threading.Condition()
        self.connections: set[socket.socket] = set()
        super().__init__(server_address, handler)

    def server_bind(self) -> None:
        """Bind without looking up the host name, which can be slow without a resolver."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(cast("tuple[str, int]", self.server_address))
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as above
        """Accept the connection, unless there are too many."""
        with self.changed:
            is_accepted = len(self.connections) < MAX_CONNECTIONS
            if is_accepted:
                self.connections.add(request)
        if is_accepted:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as above
        """Close the connection."""
        with self.changed:
            self.connections.discard(request)
        super().shutdown_request(request)
