"""A cluster of up to a thousand nodes on one core: what deaths, cut-offs and stragglers cost, with the real scheduler.

    python benchmarks/simulation.py [--nodes 10,100,1000] [--tasks N] [--cost SECONDS] [--seed N] [--json]

Only the nodes and the time are simulated. ``pixmill.engine.scheduling.scheduler``, its ledger, retries and books are the ones
that run in earnest; they see an executor and a clock, as always. The clock jumps from one event to the next, and moves by
``--cost`` for each task that the coordinator handles: what ``benchmarks/scaling.py`` measures. Every task must end with exactly
one outcome, and the ledger must agree; the script fails when one does not. *ideal* is the work divided by all workers, had
nothing gone wrong.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
from simulated_fleet import Misfortune, Shape, SimulatedClock, SimulatedCluster

from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Failed, Task

WORKERS = 8  # of one node
TASKS = 150  # for each worker
MEAN = 0.5  # seconds of one task
POISON = 500  # one task in so many fails for good
HANDLER = HandlerRef.to(len)  # never called: the nodes are simulated


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one simulation found. Times in simulated seconds, ``took`` in real ones."""

    nodes: int
    workers: int
    tasks: int
    failed: int
    deaths: int
    cut_offs: int
    stragglers: int
    leased_anew: int
    late_answers: int
    ideal: float
    makespan: float
    tasks_per_second: float
    took: float


def simulate(shape: Shape, misfortune: Misfortune, *, tasks: int, seed: int) -> Row:
    """Run ``tasks`` tasks on a cluster of this ``shape`` to their ends and hold the books to account."""
    clock, ledger = SimulatedClock(), MemoryLedger()
    fleet = SimulatedCluster(shape, misfortune, clock=clock, chance=random.Random(seed))
    outcomes: Counter[bytes] = Counter()
    failed = 0
    began = time.perf_counter()
    policy = Policy(window=4 * fleet.workers)
    with open_run(some(tasks), HANDLER, executor=fleet, ledger=ledger, policy=policy, clock=clock, rng=random.Random(seed)) as run:
        for outcome in run:
            outcomes[outcome.task.key] += 1
            failed += isinstance(outcome, Failed)
            if not isinstance(outcome, Done | Failed):
                raise SystemExit(f"unexpected: {outcome}")
    check(outcomes, tasks, failed, ledger)
    return Row(
        nodes=shape.nodes,
        workers=fleet.workers,
        tasks=tasks,
        failed=failed,
        ideal=fleet.work / fleet.workers,
        makespan=clock.elapsed(),
        tasks_per_second=tasks / clock.elapsed(),
        took=time.perf_counter() - began,
        **fleet.tally,
    )


def some(count: int) -> Iterator[Task]:
    """Yield so many tasks; one in ``POISON`` says that it cannot be done."""
    return (Task.of(f"{number:09}", b"poison" if number % POISON == POISON - 1 else b"") for number in range(count))


def check(outcomes: Counter[bytes], tasks: int, failed: int, ledger: MemoryLedger) -> None:
    """End the script when a task has no outcome, or two, or another than the ledger holds."""
    counts = ledger.counts()
    if len(outcomes) != tasks or set(outcomes.values()) != {1}:
        raise SystemExit(f"{tasks} tasks, {len(outcomes)} with an outcome, {sum(outcomes.values())} outcomes")
    if (counts.done, counts.failed, counts.pending) != (tasks - failed, failed, 0) or failed != tasks // POISON:
        raise SystemExit(f"the ledger holds {counts}, {failed} failed of {tasks}")


def scenarios(nodes: list[int], per_worker: int) -> Iterator[tuple[str, int, int, Misfortune]]:
    """Yield what to simulate: each size of cluster, left in peace and not."""
    storm = Misfortune(lifetime=900.0, reboot=120.0, cut_off_every=120.0, cut_off_for=20.0, straggling=0.05, lease=15.0)
    for count in nodes:
        for name, misfortune in (("calm", Misfortune()), ("storm", storm)):
            yield name, count, count * WORKERS * per_worker, misfortune


def main() -> None:
    """Print a table, or one JSON record a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="10,100,1000", help="sizes of the cluster")
    parser.add_argument("--tasks", type=int, default=TASKS, help="tasks for each worker")
    parser.add_argument("--mean", type=float, default=MEAN, help="mean seconds of a task")
    parser.add_argument("--cost", type=float, default=60e-6, help="seconds of the coordinator for each task")
    parser.add_argument("--seed", type=int, default=1, help="of all chance")
    parser.add_argument("--json", action="store_true", help="one record a line")
    asked = parser.parse_args()
    show: Callable[[str, Row], None] = show_json if asked.json else show_line
    for name, nodes, tasks, misfortune in scenarios([int(part) for part in asked.nodes.split(",")], asked.tasks):
        shape = Shape(nodes=nodes, workers=WORKERS, mean=asked.mean, cost=asked.cost)
        show(name, simulate(shape, misfortune, tasks=tasks, seed=asked.seed))
        sys.stdout.flush()


def show_json(name: str, row: Row) -> None:
    """Print ``row`` for programs."""
    print(json.dumps({"scenario": name, **msgspec.structs.asdict(row)}))


def show_line(name: str, row: Row) -> None:
    """Print ``row`` for people."""
    print(
        f"{name:<6} {row.nodes:>5,} nodes {row.tasks:>9,} tasks: makespan {row.makespan:7.1f} s, ideal {row.ideal:6.1f} s "
        f"({row.ideal / row.makespan:4.0%}), {row.tasks_per_second:>8,.0f}/s; {row.deaths} deaths, {row.cut_offs} cut-offs, "
        f"{row.stragglers} stragglers, {row.leased_anew:,} leased anew, {row.late_answers:,} late answers; took {row.took:.0f} s"
    )


if __name__ == "__main__":
    main()
