"""Runs a simulation for a grid of parameters with pixmill's engine: the ledger keeps each result, so that a run can be interrupted.

    python examples/simulation.py LEDGER.sqlite [WALKERS]

The model: random walks on a line with a wall at each end; how many steps does a walker need to reach one? For a wall at distance n
from a walker in the middle, theory says n * n. Each task is one distance and one seed; its result depends on nothing else.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import fmean

import msgspec
import numpy as np

from pixmill.engine import State, Task, open_run
from pixmill.engine.ledgers.sqlite import SqliteLedger

DISTANCES, SEEDS = (4, 8, 16, 32), range(6)


class Experiment(msgspec.Struct, frozen=True):
    """The parameters of one task."""

    distance: int
    walkers: int
    seed: int


def simulate(payload: bytes) -> bytes:
    """Return the mean number of steps of the experiment in the payload. Runs in a worker process."""
    experiment = msgspec.json.decode(payload, type=Experiment)
    random = np.random.default_rng([experiment.distance, experiment.seed])
    position = np.zeros(experiment.walkers, np.int64)
    steps = np.zeros(experiment.walkers, np.int64)
    while (walking := np.abs(position) < experiment.distance).any():
        position[walking] += random.choice((-1, 1), walking.sum())
        steps[walking] += 1
    return msgspec.json.encode(float(steps.mean()))


def tasks(walkers: int) -> Iterator[Task]:
    """Yield a task for each point of the grid. The key is all that determines its result."""
    for distance in DISTANCES:
        for seed in SEEDS:
            payload = msgspec.json.encode(Experiment(distance, walkers, seed))
            yield Task.of(payload, payload)


def main(ledger_file: str, walkers: str = "2000") -> int:
    """Simulate what is missing in the ledger, then print what it holds."""
    with closing(SqliteLedger(Path(ledger_file))) as ledger:
        with open_run(tasks(int(walkers)), simulate, ledger=ledger) as run:
            for _ in run:
                pass
        print(f"{run.counts.done} simulated, {run.counts.skipped} known, {run.counts.failed} failed", file=sys.stderr)
        means = defaultdict(list)
        for record in ledger.records(State.DONE):
            means[msgspec.json.decode(record.key, type=Experiment).distance].append(msgspec.json.decode(record.result, type=float))
    for distance, values in sorted(means.items()):
        print(f"distance {distance:3}: {fmean(values):8.1f} steps, theory {distance**2:5}")
    return 1 if run.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
