"""What is answered to whom: every address of the live page, as a function from a question to an answer. It changes nothing."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec

from pixmill.batch.live.http.access import AccessControl
from pixmill.batch.live.page.cache import PageCache
from pixmill.batch.live.page.document import policy, view
from pixmill.batch.live.preview_feed import NumberedPreview
from pixmill.engine.observability.json_lines import json_line

TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
READING = frozenset({"GET", "HEAD"})

Headers = tuple[tuple[str, str], ...]
SAFE: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request: its ``target`` is path and query. ``headers`` have their names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back."""

    status: int
    body: bytes = b""
    kind: str = TEXT
    headers: Headers = (("Cache-Control", "no-store"),)


class Routes:
    """Answers questions. ``metrics`` is the text for Prometheus; ``trouble`` says why the run is not well, or nothing."""

    def __init__(
        self,
        guard: AccessControl,
        board: PageCache,
        *,
        pictures: Callable[[], tuple[NumberedPreview, ...]],
        metrics: Callable[[], str],
        trouble: Callable[[], str],
    ) -> None:
        """Take what is shown."""
        self._guard = guard
        self._board = board
        self._pictures = pictures
        self._metrics = metrics
        self._trouble = trouble

    def answer(self, question: Request) -> Response:
        """Return the answer to ``question``; it may wait a second for something new."""
        answer = self._answer(question)
        return msgspec.structs.replace(answer, headers=(*answer.headers, *SAFE, ("Content-Security-Policy", policy())))

    def _answer(self, question: Request) -> Response:
        header = question.headers.get
        asked = urlsplit(question.target)
        query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        if not self._guard.is_own_host(header("host", "")):
            return _refusal(HTTPStatus.MISDIRECTED_REQUEST, "ask by address, or by the name that was given to --serve")
        if question.method not in READING:
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "there is nothing to change here", ("Allow", "GET, HEAD"))
        if asked.path == "/healthz":
            return self._health()
        token = query.get("token", "")
        if not self._guard.is_authorised(query=token, cookies=header("cookie", ""), authorization=header("authorization", "")):
            return _refusal(HTTPStatus.UNAUTHORIZED, "the address with the token was printed when the run began")
        if token and self._guard.token:
            return self._login()
        return self._page(asked.path, query)

    def _page(self, path: str, query: Mapping[str, str]) -> Response:
        match path.split("/")[1:]:
            case [""]:
                return Response(status=HTTPStatus.OK, body=view(self._board.now()).encode(), kind="text/html; charset=utf-8")
            case ["state"]:
                change = self._board.wait_for_change(_whole(query.get("after", "")))
                return Response(status=HTTPStatus.OK, body=json_line(change).encode(), kind="application/json")
            case ["metrics"]:
                return Response(status=HTTPStatus.OK, body=self._metrics().encode(), kind=METRICS)
            case ["pictures", number, "before" | "after" as side]:
                return self._picture(_whole(number), side)
            case _:
                return _refusal(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _picture(self, number: int, side: str) -> Response:
        framed = next((each for each in self._pictures() if each.number == number), None)
        if framed is None:
            return _refusal(HTTPStatus.NOT_FOUND, "only the latest pictures are kept")
        body = framed.shown.before if side == "before" else framed.shown.after
        return Response(
            status=HTTPStatus.OK, body=body, kind="image/webp", headers=(("Cache-Control", "private, max-age=3600, immutable"),)
        )

    def _health(self) -> Response:
        trouble = self._trouble()
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
        return Response(status=status, body=f"{trouble or 'ok'}\n".encode())

    def _login(self) -> Response:
        """Put the token into a cookie, and its bearer before an address without it: one that can be shown to others."""
        cookie = f"{self._guard.cookie}={self._guard.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = (("Set-Cookie", cookie), ("Location", "./"), ("Cache-Control", "no-store"))
        return Response(status=HTTPStatus.SEE_OTHER, headers=headers)


def _refusal(status: HTTPStatus, reason: str, *headers: tuple[str, str]) -> Response:
    return Response(status=status, body=f"{reason}\n".encode(), headers=(("Cache-Control", "no-store"), *headers))


def _whole(text: str) -> int:
    """Return the number that ``text`` is, -1 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004  # longer than any count here
