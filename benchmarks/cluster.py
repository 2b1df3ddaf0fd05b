"""Measures the overhead of a cluster engine: the same run with the local pool, Ray and Dask on the same cores, alternating.

    python benchmarks/cluster.py FOLDER [--repetitions 5] [--copies 32]

Each engine has one node with as many cores as the local pool has workers, and is running before anything is measured. The measured
time is that of the run itself, from its first event to its last. Everything runs in its own network namespace, which needs root,
with Ray's token authentication enabled. Prints the times and the ratio of the throughputs (engine / local) of each repetition, and
the medians.
"""

import argparse
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import machine

from pixmill.engine.resources.cpu import usable_cores
from support.network_namespaces import isolated

PIXMILL = (sys.executable, "-m", "pixmill")
RAY = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}


def main() -> None:
    """Measure and print."""
    machine.keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs to process")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--copies", type=int, default=32, help="number of copies of each photograph")
    options = parser.parse_args()
    os.environ.update(RAY)
    with tempfile.TemporaryDirectory(prefix="pixmill-cluster-") as name, isolated(), ExitStack() as engines:
        work = Path(name)
        _fill(work / "in", options.folder, options.copies)
        addresses = {"ray": engines.enter_context(_ray()), "dask": engines.enter_context(_dask())}
        run(work, "local")  # warm the page cache
        ratios: dict[str, list[float]] = {engine: [] for engine in addresses}
        for repetition in range(options.repetitions):
            local = run(work, "local")
            for engine, address in addresses.items():
                seconds = run(work, engine, "--address", address)
                ratios[engine].append(local / seconds)
                print(f"repetition {repetition + 1}: local {local:.2f} s, {engine} {seconds:.2f} s, ratio {local / seconds:.3f}")
    for engine, measured in ratios.items():
        print(f"median: {engine} / local {statistics.median(measured):.3f}")


def run(work: Path, engine: str, *options: str) -> float:
    """Process everything once and return the seconds from the first event to the last, without the start of the engine."""
    destination = Path(tempfile.mkdtemp(prefix=f"{engine}-", dir=work))
    command = [*PIXMILL, "run", work / "in", destination, "--executor", engine, "--size", "800x600", "--json", *options]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    at = {event["event"]: event["at"] for event in map(json.loads, result.stdout.splitlines()) if "at" in event}
    return float(at["run_ended"] - at["run_started"])


def _fill(source: Path, folder: Path, copies: int) -> None:
    source.mkdir()
    for picture in sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"}):
        for copy in range(copies):
            shutil.copyfile(picture, source / f"{copy}-{picture.name}")


@contextmanager
def _ray() -> Iterator[str]:
    import ray  # noqa: PLC0415  # reads its variables on import

    choices = {"address": "local", "num_cpus": usable_cores(), "_node_ip_address": "127.0.0.1", "include_dashboard": False}
    ray.init(**choices, object_store_memory=100_000_000, log_to_driver=False, logging_level="ERROR")
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()


@contextmanager
def _dask() -> Iterator[str]:
    import distributed  # noqa: PLC0415  # an extra

    with distributed.LocalCluster(n_workers=1, threads_per_worker=usable_cores(), dashboard_address=None) as cluster:
        yield cluster.scheduler_address


if __name__ == "__main__":
    main()
