"""A web application around ``pixmill.process``: POST an image, and get a thumbnail of it as WebP.

    python examples/thumbnails.py [PORT]
    curl --data-binary @photo.jpg 'http://127.0.0.1:8000/?size=300x300' --output thumbnail.webp

``application`` is WSGI, and runs in any server for it. Use one with several processes (gunicorn --workers): a hostile image
can take a process along. Each image has limits here, but neither a deadline nor a process of its own as in ``pixmill.run``.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import pixmill

MAX_BYTES = 20_000_000
Start = Callable[[str, list[tuple[str, str]]], object]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer one request."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ["REQUEST_METHOD"] != "POST" or not length:
        return answer(start_response, "405 Method Not Allowed", "POST the content of an image\n")
    if length > MAX_BYTES:
        return answer(start_response, "413 Content Too Large", f"an image may have {MAX_BYTES} bytes\n")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    try:
        output = pixmill.process(
            environ["wsgi.input"].read(length),
            size=query.get("size", ["200x200"])[0],
            fit="cover",
            format="webp",
            max_pixels="40MP",
        )
    except pixmill.ConfigError as error:  # the size
        return answer(start_response, "400 Bad Request", f"{error}\n")
    except pixmill.ImageError as error:
        return answer(start_response, "422 Unprocessable Content", f"{error.code}: {error}\n")
    start_response("200 OK", [("Content-Type", "image/webp"), ("Content-Length", str(len(output)))])
    return [bytes(output)]


def answer(start_response: Start, status: str, text: str) -> Iterable[bytes]:
    """Answer with a sentence."""
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with make_server("127.0.0.1", port, application) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
