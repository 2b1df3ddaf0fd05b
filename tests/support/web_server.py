"""A local web server with scripted responses: complete, partial, late, redirected, or none."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """A response. ``headers`` are added to a correct ``Content-Length``, or replace it.

    The second half of the body is sent after ``pause`` seconds; with ``cut``, the connection is closed instead.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    pause: float = 0.0
    cut: bool = False
    takes_ranges: bool = True


class Asked(msgspec.Struct, frozen=True):
    """A received request."""

    method: str
    target: str
    headers: dict[str, str]
    at: float


Script = Callable[[Asked], Answer | None]


class WebServer:
    """A running server: ``url`` is its root, ``asked`` the requests so far, ``most_at_once`` the maximum number at one time.

    ``answers`` maps a target (path and query) to its response, or to a function that returns one.
    """

    def __init__(self, server: ThreadingHTTPServer, answers: Mapping[str, Answer | Script], closing: Event) -> None:
        """Created by ``serving``."""
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._answers = answers
        self._closing = closing
        self._under_way = 0
        self._counting = Lock()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        asked = Asked(str(handler.command), handler.path, dict(handler.headers.items()), time.monotonic())
        self.asked.append(asked)
        found = self._answers.get(handler.path, Answer(status=404))
        answer = found(asked) if callable(found) else found
        try:
            self._send(handler, answer or Answer(status=404), asked)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a request as in progress until just before its last byte, after which the client may send another one."""
        with self._counting:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._counting:
                self._under_way -= 1

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer, asked: Asked) -> None:
        body, status = answer.body, answer.status
        asked_range = asked.headers.get("Range", "")
        if answer.takes_ranges and asked_range.startswith("bytes=0-") and body:
            body, status = body[: int(asked_range.removeprefix("bytes=0-")) + 1], 206
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        if asked.method == "HEAD":
            return
        middle = len(body) // 2
        with self._counted():
            handler.wfile.write(body[:middle])
            self._closing.wait(answer.pause)
        if answer.cut:
            handler.close_connection = True
        else:
            handler.wfile.write(body[middle:])


@contextmanager
def serving(answers: Mapping[str, Answer | Script]) -> Iterator[WebServer]:
    """Serve ``answers`` on a free port of the loopback address; the mapping may be changed meanwhile."""
    closing = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.answer(self)

        do_HEAD = do_GET  # noqa: N815  # the name is http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the same
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    web = WebServer(server, answers, closing)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
