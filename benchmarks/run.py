"""Measures pixmill and its alternatives, and writes the tables.

    python benchmarks/run.py [--quick] [--scenario NAME ...] [--peer NAME ...] [--photographs DIR] [--tables RUN.jsonl]

Peers alternate within each repetition, so that other load on the machine affects all of them equally; ratios are computed within a
repetition. pixmill runs as users run it, with ledger, fsync and metrics. Rows are written to ``benchmarks/runs``, tables to
``docs/benchmarks.md`` and ``README.md``; scenarios can be measured one by one. A complete run takes about an hour. ``--quick``
takes a few minutes, uses a quarter of the images, and writes no file.
"""

import argparse
import datetime as dt
import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fidelity
import machine
import sources
import tables
from installing import Bench, Missing
from measuring import CommandFailed, measure
from peers import PEERS, Job, Peer
from scenario import Scenario, scenarios

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "benchmarks" / "runs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pixmill-benchmarks"
REPETITIONS, QUICK_REPETITIONS = 5, 2
TIMEOUT = 1_800.0  # seconds per run
REPORTS = {".json"}


def main() -> int:
    """Measure, print and write the tables."""
    asked = _arguments()
    if asked.tables:
        _publish(asked.tables)
        return 0
    machine.keep_bytecode()
    bench = Bench(asked.cache)
    chosen = [
        scenario.quick() if asked.quick else scenario
        for scenario in scenarios()
        if not asked.scenario or scenario.name in asked.scenario
    ]
    versions, missing = _installed(bench, chosen, asked.peer)
    head = _head(asked, missing)
    rows = []
    for scenario in chosen:
        print(f"\n{scenario.title}")
        mine = list(_rows(bench, scenario, versions, asked))
        rows += mine
        print(tables.table(scenario, mine) if mine else "nothing could be measured")
    if not asked.quick:
        place = RUNS / f"{head['date']}-{re.sub(r'[^a-z0-9]+', '-', head['machine']['processor'].lower()).strip('-')}.jsonl"
        RUNS.mkdir(exist_ok=True)
        kept = _others(place, {scenario.name for scenario in chosen})
        place.write_text("".join(json.dumps(line) + "\n" for line in [head, *kept, *rows]), "utf-8")
        _publish(place)
    return 0


def _others(place: Path, measured: set[str]) -> list[dict[str, Any]]:
    """Return the rows of the same day and machine for scenarios that were not measured this time."""
    if not place.is_file():
        return []
    _, rows = tables.read(place)
    return [dict(row) for row in rows if row["scenario"] not in measured]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer images, two repetitions, no files written")
    parser.add_argument("--scenario", action="append", metavar="NAME", choices=[scenario.name for scenario in scenarios()])
    parser.add_argument("--peer", action="append", metavar="NAME", choices=[peer.name for peer in PEERS])
    parser.add_argument("--repetitions", type=int, metavar="N")
    parser.add_argument("--workers", type=int, default=machine.cores(), metavar="N")
    parser.add_argument(
        "--photographs", type=Path, metavar="DIR", help="JPEG images to use instead of the corpus or generated images"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="folder for peers and images")
    parser.add_argument("--tables", type=Path, metavar="RUN", help="write the tables from this run without measuring")
    asked = parser.parse_args()
    asked.repetitions = asked.repetitions or (QUICK_REPETITIONS if asked.quick else REPETITIONS)
    return asked


def _installed(bench: Bench, chosen: list[Scenario], names: list[str] | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the version of every peer that takes part, and the reason why others do not."""
    versions, missing = {}, {}
    bench.cache.mkdir(parents=True, exist_ok=True)
    for peer in PEERS:
        if any(peer.takes_part(scenario) for scenario in chosen) and (not names or peer.name in names):
            try:
                versions[peer.name] = peer.install(bench)
            except Missing as reason:
                missing[peer.name] = str(reason)
                print(f"skipping {peer.label}: {reason}", file=sys.stderr)
    return versions, missing


def _head(asked: argparse.Namespace, missing: dict[str, str]) -> dict[str, Any]:
    today = dt.datetime.now(dt.UTC).date().isoformat()
    commit = Bench(asked.cache).pixmill()
    return {"date": today, "commit": commit, "repetitions": asked.repetitions, "machine": machine.describe(), "missing": missing}


def _rows(bench: Bench, scenario: Scenario, versions: dict[str, str], asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure a scenario; yield a row for each run.

    Outputs are deleted only after the last run, because ext4 is slow to create files right after thousands were deleted.
    """
    taking_part = [peer for peer in PEERS if peer.name in versions and peer.takes_part(scenario)]
    scores: dict[str, tuple[float, float] | None] = {}
    failed: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="pixmill-benchmark-") as place:
        for repetition, peer in itertools.product(range(asked.repetitions), taking_part):
            if peer.name in failed:
                continue
            count = scenario.slow if peer.unhurried else scenario.files
            source = sources.folder(scenario, count, asked.cache, asked.photographs)
            job = Job(scenario, source, Path(place) / f"{repetition}-{peer.name}" / "out", asked.workers)
            try:
                row = _measured(bench, peer, job, count)
            except CommandFailed as error:
                failed.add(peer.name)
                print(f"{peer.label} failed: {error}", file=sys.stderr)
                continue
            if peer.scored and peer.name not in scores:
                scores[peer.name] = fidelity.of_outputs(scenario, source, job.target)
            psnr, ssim = scores.get(peer.name) or (None, None)
            print(f"  {repetition + 1}/{asked.repetitions} {peer.label}: {row['rate']:.1f} images/s", file=sys.stderr)
            yield {
                "scenario": scenario.name, "peer": peer.name, "version": versions[peer.name], "repetition": repetition,
                **row, "psnr": psnr, "ssim": ssim,
            }  # fmt: skip


def _measured(bench: Bench, peer: Peer, job: Job, count: int) -> dict[str, Any]:
    """Run a peer once into an empty folder; in mode ``again``, measure a second run into the same folder."""
    job.target.mkdir(parents=True)
    command, environment = peer.command(bench, job), peer.environment(bench)
    if job.scenario.mode == "again":
        measure(command, environment=environment, timeout=TIMEOUT)
    os.sync()
    taken = measure(command, environment=environment, timeout=TIMEOUT)
    made = [path.stat().st_size for path in job.target.rglob("*") if path.is_file() and not _is_ours(path)]
    if len(made) != count * len(job.scenario.boxes):
        raise CommandFailed(f"wrote {len(made)} of {count * len(job.scenario.boxes)} files")
    pixels = sources.megapixels(job.source)
    return {
        "files": count, "seconds": taken.seconds, "rate": count / taken.seconds, "megapixels": pixels / taken.seconds,
        "cpu": taken.cpu / count, "rss": taken.rss, "pss": taken.pss, "bytes": sum(made) / count,
    }  # fmt: skip


def _is_ours(path: Path) -> bool:
    """Return whether a file belongs to the ledger or metrics of the run, and is not an output."""
    return ".pixmill" in path.parts or path.suffix in REPORTS


def _publish(run: Path) -> None:
    """Write the tables of a run to the documents."""
    document = ROOT / "docs" / "benchmarks.md"
    tables.fill(document, "benchmark", tables.document(run))
    tables.fill(document, "goals", tables.goals(run))
    tables.fill(ROOT / "README.md", "benchmark", tables.headline(run))


if __name__ == "__main__":
    sys.exit(main())
