"""The routes of the live page, as a function from a request to a response. They are read-only."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec

from pixmill.batch.live.http.access import AccessControl
from pixmill.batch.live.page.cache import PageCache
from pixmill.batch.live.page.document import policy, view
from pixmill.batch.live.preview_feed import NumberedPreview
from pixmill.engine.observability.json_lines import json_line

TEXT_TYPE = "text/plain; charset=utf-8"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ALLOWED_METHODS = frozenset({"GET", "HEAD"})

Headers = tuple[tuple[str, str], ...]
SECURITY_HEADERS: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request. ``target`` is path and query; the names of ``headers`` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a request."""

    status: int
    body: bytes = b""
    content_type: str = TEXT_TYPE
    headers: Headers = (("Cache-Control", "no-store"),)


class Routes:
    """Answers requests. ``metrics`` returns the text for Prometheus; ``unhealthy_reason`` is empty while the run is healthy."""

    def __init__(
        self,
        access: AccessControl,
        page: PageCache,
        *,
        previews: Callable[[], tuple[NumberedPreview, ...]],
        metrics: Callable[[], str],
        unhealthy_reason: Callable[[], str],
    ) -> None:
        """Take the sources of the responses."""
        self._access = access
        self._page_cache = page
        self._previews = previews
        self._metrics = metrics
        self._unhealthy_reason = unhealthy_reason

    def respond(self, request: Request) -> Response:
        """Return the response to ``request``; it may take a second until there is something new."""
        response = self._route(request)
        return msgspec.structs.replace(
            response, headers=(*response.headers, *SECURITY_HEADERS, ("Content-Security-Policy", policy()))
        )

    def _route(self, request: Request) -> Response:
        header = request.headers.get
        url = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if not self._access.is_own_host(header("host", "")):
            return _error_response(HTTPStatus.MISDIRECTED_REQUEST, "use an IP address, or the host name given to --serve")
        if request.method not in ALLOWED_METHODS:
            return _error_response(HTTPStatus.METHOD_NOT_ALLOWED, "this page is read-only", ("Allow", "GET, HEAD"))
        if url.path == "/healthz":
            return self._health()
        token = query.get("token", "")
        if not self._access.is_authorised(query=token, cookies=header("cookie", ""), authorization=header("authorization", "")):
            return _error_response(HTTPStatus.UNAUTHORIZED, "use the address with the token, printed when the run started")
        if token and self._access.token:
            return self._login()
        return self._page(url.path, query)

    def _page(self, path: str, query: Mapping[str, str]) -> Response:
        match path.split("/")[1:]:
            case [""]:
                return Response(
                    status=HTTPStatus.OK, body=view(self._page_cache.now()).encode(), content_type="text/html; charset=utf-8"
                )
            case ["state"]:
                delta = self._page_cache.wait_for_change(_parse_number(query.get("after", "")))
                return Response(status=HTTPStatus.OK, body=json_line(delta).encode(), content_type="application/json")
            case ["metrics"]:
                return Response(status=HTTPStatus.OK, body=self._metrics().encode(), content_type=METRICS_TYPE)
            case ["pictures", number, "before" | "after" as side]:
                return self._preview(_parse_number(number), side)
            case _:
                return _error_response(HTTPStatus.NOT_FOUND, "not found")

    def _preview(self, number: int, side: str) -> Response:
        preview = next((each for each in self._previews() if each.number == number), None)
        if preview is None:
            return _error_response(HTTPStatus.NOT_FOUND, "only the latest previews are kept")
        body = preview.preview.before if side == "before" else preview.preview.after
        return Response(
            status=HTTPStatus.OK,
            body=body,
            content_type="image/webp",
            headers=(("Cache-Control", "private, max-age=3600, immutable"),),
        )

    def _health(self) -> Response:
        trouble = self._unhealthy_reason()
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
        return Response(status=status, body=f"{trouble or 'ok'}\n".encode())

    def _login(self) -> Response:
        """Store the token in a cookie and redirect to the address without it, which can be shared safely."""
        cookie = f"{self._access.cookie}={self._access.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = (("Set-Cookie", cookie), ("Location", "./"), ("Cache-Control", "no-store"))
        return Response(status=HTTPStatus.SEE_OTHER, headers=headers)


def _error_response(status: HTTPStatus, reason: str, *headers: tuple[str, str]) -> Response:
    return Response(status=status, body=f"{reason}\n".encode(), headers=(("Cache-Control", "no-store"), *headers))


def _parse_number(text: str) -> int:
    """Return ``text`` as a number, -1 if it is not one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004  # more digits than any number here has
