"""A small S3 server in memory: real listings of any keys, in the order of their bytes, and objects with conditions; no signatures.

For what a real server does not do: keys that no file system can hold, a million of them, and a count of requests by kind.
"""

import hashlib
import ssl
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

MAX_KEYS = 1000


class FakeS3:
    """The objects of one bucket by key.

    ``requests`` counts requests by kind; ``refuses(kind, key)`` returns a status with which to refuse one, or 0.
    ``before_page(prefix, after, size)`` is called before the page of at most ``size`` keys after another is listed.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.objects: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        self.refuses: Callable[[str, str], int] = lambda kind, key: 0  # noqa: ARG005  # refuses nothing
        self.before_page: Callable[[str, str, int], None] = lambda prefix, after, size: None  # noqa: ARG005  # nothing
        self.endpoint = ""
        self._sorted: list[str] = []
        self._lock = threading.Lock()

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the environment variables of a client."""
        keys = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_REGION": "us-east-1"}
        return {**keys, "AWS_ENDPOINT_URL": self.endpoint}

    def list(self, query: Mapping[str, str]) -> bytes:
        """Return one page of a listing."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        limit = min(MAX_KEYS, int(query.get("max-keys", MAX_KEYS)))
        with self._lock:
            if len(self._sorted) != len(self.objects):
                self._sorted = sorted(self.objects)
            keys = self._sorted
        at = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
        contents: list[str] = []
        prefixes: list[str] = []
        last = ""
        while at < len(keys) and keys[at].startswith(prefix) and len(contents) + len(prefixes) < limit:
            key = keys[at]
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end >= 0:
                folder = key[: end + 1]
                if not after.startswith(folder):
                    prefixes.append(f"<CommonPrefixes><Prefix>{quote(folder)}</Prefix></CommonPrefixes>")
                last = folder + "\U0010ffff"
                at = bisect_right(keys, last)
                continue
            data = self.objects[key]
            tag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            contents.append(
                f"<Contents><Key>{quote(key)}</Key><Size>{len(data)}</Size><ETag>&quot;{tag}&quot;</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            )
            last = key
            at += 1
        more = at < len(keys) and keys[at].startswith(prefix)
        token = f"<NextContinuationToken>{quote(last)}</NextContinuationToken>" if more else ""
        text = (
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}<EncodingType>url</EncodingType>{''.join(contents + prefixes)}"
        )
        return f"<ListBucketResult>{text}</ListBucketResult>".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:  # the library's name
        split = urlsplit(self.path)
        _, _, key = unquote(split.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        is_listing = "list-type" in query
        if self._refused("list" if is_listing else self.command.lower(), query.get("prefix", "") if is_listing else key):
            return
        fake = self.server.fake
        if is_listing:
            token = unquote(query.get("continuation-token", ""))
            fake.before_page(query.get("prefix", ""), token or query.get("start-after", ""), int(query.get("max-keys", 1000)))
            self._answer(200, fake.list({**query, "continuation-token": token} if token else query))
        elif key not in fake.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            data = fake.objects[key]
            if self.headers.get("If-Match", _tag(data)) != _tag(data):
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            self._answer(200, data, tag=_tag(data))

    do_HEAD = do_GET  # noqa: N815  # the library's name

    def do_PUT(self) -> None:  # the library's name
        _, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._refused("put", key):
            return
        objects, expected = self.server.fake.objects, self.headers.get("If-Match")
        exists = key in objects
        if (self.headers.get("If-None-Match") and exists) or (expected and (not exists or _tag(objects[key]) != expected)):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        objects[key] = data
        self._answer(200, b"", tag=_tag(data))

    def do_DELETE(self) -> None:  # the library's name
        _, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        if not self._refused("delete", key):
            self.server.fake.objects.pop(key, None)
            self._answer(204, b"")

    def do_POST(self) -> None:  # the library's name; obstore deletes in bulk
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        for part in text.split("<Key>")[1:]:
            self.server.fake.objects.pop(part.partition("</Key>")[0], None)
        self.server.fake.requests["delete"] += 1
        self._answer(200, b"<DeleteResult></DeleteResult>")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the library's name
        """Log nothing."""

    def _refused(self, kind: str, key: str) -> bool:
        self.server.fake.requests[kind] += 1
        status = self.server.fake.refuses(kind, key)
        if status:
            self._answer(status, b"<Error><Code>AccessDenied</Code></Error>" if status == 403 else b"")
        return bool(status)

    def _answer(self, status: int, body: bytes, *, tag: str = "") -> None:
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeS3

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client hangs up."""


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@contextmanager
def fake_s3(certificate: Path | None = None) -> Iterator[FakeS3]:
    """Run a server for the duration of the block, with TLS if it has a ``certificate``, whose key is beside it as ``key.pem``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.fake = FakeS3()
    server.fake.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_name("key.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.fake.endpoint = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
