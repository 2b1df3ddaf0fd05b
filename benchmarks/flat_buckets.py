"""Measures what a bucket with all keys in one folder costs: requests for the listing, memory, and when the first image starts.

    python benchmarks/flat_buckets.py [--names camera|lower|mixed] [--only plan,run] [NUMBER ...]

A small server on the loopback interface, in a process of its own, lists so many keys without holding them, in the order of their
bytes, and has one tiny picture for all of them. Prints for each number of keys: the LIST requests, the CPU seconds of all processes
of pixmill, and the peak memory of the coordinator; for a run, which is ended after its first images, the LIST requests before the
first GET. ``camera`` are names such as ``IMG_00000001.JPG``; of ``mixed`` ones some differ in the case of their first letters, so
that all are sorted on disk before the first is named.
"""

import argparse
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import machine
from folders import MB, watched_peaks
from PIL import Image

NUMBERS = (1_000, 100_000, 1_000_000)
HOST = "127.0.0.1"
PAGE_SIZE = 1000
COUNTS = "/-/counts"
DIGITS = 9
NAMES: dict[str, Callable[[int], str]] = {
    "camera": lambda index: f"IMG_{index:0{DIGITS}}.JPG",
    "lower": lambda index: f"img-{index:0{DIGITS}}.jpg",
    "mixed": lambda index: f"{'Ii'[index % 10**DIGITS >= 10**DIGITS // 2]}mg-{index:0{DIGITS}}.jpg",
}


class Keys:
    """``number`` keys in order, none of which is held."""

    def __init__(self, number: int, names: str) -> None:
        """Make none yet."""
        self._number = number
        self._name = NAMES["lower" if names == "mixed" else names]
        self._half = number // 2 if names == "mixed" else 0

    def __len__(self) -> int:
        """Return how many there are."""
        return self._number

    def __getitem__(self, index: int) -> str:
        """Return the key at ``index`` in the order of bytes."""
        name = self._name(index)
        return name.capitalize() if index < self._half else name


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one run."""

    protocol_version = "HTTP/1.1"
    keys: ClassVar[Keys]
    picture: ClassVar[bytes]
    tag: ClassVar[str]
    counts: ClassVar[dict[str, int]] = {"list": 0, "get": 0, "before first get": 0}

    def do_GET(self) -> None:  # the library's name
        """Answer a listing, the counts, or a picture."""
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        if split.path == COUNTS:
            self._answer(json.dumps(self.counts).encode())
        elif "list-type" in query:
            self.counts["list"] += 1
            self._answer(self._listing(query).encode())
        else:
            self.counts["before first get"] = self.counts["before first get"] or self.counts["list"]
            self.counts["get"] += 1
            self._answer(self.picture)

    def _listing(self, query: dict[str, str]) -> str:
        after = unquote(query.get("continuation-token", "")) or query.get("start-after", "")
        first = bisect_right(self.keys, after) if after else 0  # type: ignore[type-var]  # it only needs the two methods
        last = min(len(self.keys), first + int(query["max-keys"]))
        contents = "".join(
            f"<Contents><Key>{self.keys[index]}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self.tag}&quot;</ETag><Size>{len(self.picture)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for index in range(first, last)
        )
        more = last < len(self.keys)
        token = f"<NextContinuationToken>{self.keys[last - 1]}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{self.tag}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the library's name
        """Log nothing."""


def serve(number: int, names: str) -> None:
    """Serve a bucket of ``number`` keys, and print the port."""
    with io.BytesIO() as file:
        Image.new("RGB", (8, 8)).save(file, "JPEG")
        Handler.picture = file.getvalue()
    Handler.keys = Keys(number, names)
    Handler.tag = hashlib.md5(Handler.picture, usedforsecurity=False).hexdigest()
    server = ThreadingHTTPServer((HOST, 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


@contextmanager
def bucket(number: int, names: str) -> Iterator[str]:
    """Run the server in a process of its own for the duration of the block; yield its endpoint."""
    line = [sys.executable, __file__, "--names", names, "--serve", str(number)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://{HOST}:{server.stdout.readline().strip()}"
        finally:
            server.kill()


def measure(command: str, number: int, names: str) -> str:
    """Run ``command`` over a bucket of ``number`` keys, and return a line about its cost."""
    with tempfile.TemporaryDirectory(prefix="pixmill-flat-") as work, bucket(number, names) as endpoint:
        environment = {
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }
        words = ["plan"] if command == "plan" else ["run", "--quiet", "--durability", "none", "--max-rate", "50/s"]
        line = [sys.executable, "-m", "pixmill", *words, "s3://flat", str(Path(work, "out"))]
        before, began = os.times(), time.perf_counter()
        process = subprocess.Popen(line, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
        with watched_peaks(process.pid) as peaks:
            while command == "run" and process.poll() is None and counts(endpoint)["get"] < min(50, number):
                time.sleep(0.1)
            if command == "run" and process.poll() is None:
                process.send_signal(signal.SIGTERM)
            status = process.wait()
        assert status in ((0,) if command == "plan" else (0, 128 + signal.SIGTERM)), status
        seconds, after, asked = time.perf_counter() - began, os.times(), counts(endpoint)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    first = f"  {asked['before first get']} LIST before the first GET" if command == "run" else ""
    return (
        f"{command:5} {names:7} {number:>12,} keys: {asked['list']:>8,} LIST {seconds:8.1f} s {cpu:8.1f} CPU s "
        f"coordinator {peaks[-1] / MB:6.1f} MB{first}"
    )


def counts(endpoint: str) -> dict[str, int]:
    """Return the numbers of requests that the server has answered."""
    with urllib.request.urlopen(endpoint + COUNTS) as response:
        return dict(json.load(response))


def main() -> None:
    """Measure and print."""
    machine.keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, default=NUMBERS, help="keys in the bucket; several show the growth")
    parser.add_argument("--names", choices=(*NAMES, "mixed"), default="camera", help="what the keys are like")
    parser.add_argument("--only", default="plan,run", help="commands to measure")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve, asked.names)
    for number in asked.numbers:
        for command in asked.only.split(","):
            print(measure(command, number, asked.names), flush=True)


if __name__ == "__main__":
    main()
