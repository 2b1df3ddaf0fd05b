"""Compares a list of URLs with img2dataset: some of the servers fail, hang, throttle or are slow.

    python benchmarks/web.py [--images N] [--hosts N] [--repetitions N] [--img2dataset PROGRAM] [--only pixmill]

Needs img2dataset, best in a virtual environment of its own, and an otherwise idle machine. The server runs on the loopback
interface of the same machine, with one address of 127.0.1.0/24 for each host. Both tools make as many attempts at a URL, wait as
long for a silent server, and may send as many requests to one host.
"""

import argparse
import asyncio
import io
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import machine
import numpy as np
from msgspec import json
from PIL import Image

ATTEMPTS, SILENCE, PER_HOST = 3, 10, 64
#: share of the URLs by what their server does; all others answer within 20 to 100 ms
KINDS = {"gone": 0.02, "error": 0.01, "hang": 0.005, "slow": 0.02}
SLOW_SECONDS = 3.0
PICTURES = 16


class Server:
    """Serves ``/KIND/NUMBER.jpg`` on every address of this machine, in a thread of its own, and counts the requests by kind."""

    def __init__(self) -> None:
        """Start to serve."""
        self.requests: Counter[str] = Counter()
        self._pictures = [_picture(seed) for seed in range(PICTURES)]
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._answer, "0.0.0.0", 0, backlog=1024)
        )  # all of 127.0.0.0/8
        self.port = int(self._server.sockets[0].getsockname()[1])
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._respond(head.split(b" ")[1].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _respond(self, path: str, writer: asyncio.StreamWriter) -> None:
        kind = path.split("/")[1]
        self.requests[kind] += 1
        number = int(path.rsplit("/", maxsplit=1)[-1].partition(".")[0] or 0) if kind in (*KINDS, "quick") else 0
        if kind == "hang":
            await asyncio.sleep(3600)
        await asyncio.sleep(SLOW_SECONDS if kind == "slow" else 0.02 + 0.08 * random.Random(number).random())  # a delay
        status = {"error": "500 Error", "quick": "200 OK", "slow": "200 OK"}.get(kind, "404 Not Found")
        body = self._pictures[number % PICTURES] if status == "200 OK" else b""
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


def _picture(seed: int) -> bytes:
    """Return a JPEG file of about 250 kB."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (120, 160, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize((1600, 1200), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def urls(port: int, *, images: int, hosts: int) -> list[str]:
    """Return the URLs in an order of no meaning, as lists from crawls have it."""
    rng = random.Random(1)  # the same list each time
    kinds = [kind for kind, share in KINDS.items() for _ in range(round(share * images))]
    kinds += ["quick"] * (images - len(kinds))
    rng.shuffle(kinds)
    return [f"http://127.0.1.{1 + rng.randrange(hosts)}:{port}/{kind}/{number}.jpg" for number, kind in enumerate(kinds)]


def run_pixmill(listed: Path, target: Path) -> Counter[str]:
    """Run pixmill, and return how many images were done and failed."""
    command = [sys.executable, "-m", "pixmill", "run", listed, target, "--size", "256x256", "--quality", "85", "--json"]
    command += ["--allow-private-hosts", "--per-host", str(PER_HOST), "--attempts", str(ATTEMPTS), "--read-timeout", f"{SILENCE}s"]
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return Counter(json.decode(result.stdout.splitlines()[-1])["counts"])


def run_img2dataset(program: str, listed: Path, target: Path, *, images: int) -> Counter[str]:
    """Run img2dataset with one part of the list for each of two processes, and return how many images were done and failed."""
    command = [program, f"--url_list={listed}", f"--output_folder={target}", "--output_format=files", "--image_size=256"]
    command += ["--resize_mode=keep_ratio", "--encode_quality=85", "--processes_count=2", f"--thread_count={PER_HOST}"]
    command += [f"--timeout={SILENCE}", f"--retries={ATTEMPTS - 1}", f"--number_sample_per_shard={images // 2 + 1}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    statistics_files = [json.decode(each.read_bytes()) for each in target.glob("*_stats.json")]
    done = sum(each["successes"] for each in statistics_files)
    return Counter({"done": done, "failed": images - done})


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that exists for now."""
    with tempfile.TemporaryDirectory(prefix="pixmill-web-") as place:
        yield Path(place)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2069)
    parser.add_argument("--hosts", type=int, default=40)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--img2dataset", default=shutil.which("img2dataset") or "img2dataset")
    parser.add_argument("--only", choices=("pixmill", "img2dataset"))
    options = parser.parse_args()
    machine.keep_bytecode()
    server = Server()
    tools = [options.only] if options.only else ["pixmill", "img2dataset"]
    taken: dict[str, list[float]] = {tool: [] for tool in tools}
    for _ in range(options.repetitions):
        for tool in tools:
            with folder() as place:
                listed = place / "urls.txt"
                listed.write_text("\n".join(urls(server.port, images=options.images, hosts=options.hosts)))
                server.requests.clear()
                began = time.perf_counter()
                if tool == "pixmill":
                    counts = run_pixmill(listed, place / "out")
                else:
                    counts = run_img2dataset(options.img2dataset, listed, place / "out", images=options.images)
                seconds = time.perf_counter() - began
            taken[tool].append(seconds)
            requests = ", ".join(f"{kind} {number}" for kind, number in sorted(server.requests.items()))
            print(f"{tool:12} {seconds:6.1f} s, {counts['done']} done, {counts['failed']} failed; requests: {requests}", flush=True)
    medians = {tool: statistics.median(seconds) for tool, seconds in taken.items()}
    print(", ".join(f"{tool} {seconds:.1f} s" for tool, seconds in medians.items()), "(medians)")


if __name__ == "__main__":
    main()
