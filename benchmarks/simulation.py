"""Simulate a cluster of up to a thousand nodes on one core: the cost of deaths, cut-offs and stragglers with the real scheduler.

    python benchmarks/simulation.py [--nodes 10,100,1000] [--tasks N] [--cost SECONDS] [--seed N] [--json]

Only the nodes and the time are simulated. ``pixmill.engine.scheduling.scheduler``, its ledger and its retries are the real ones,
with an executor and a clock as usual. The clock jumps from one event to the next, and advances by ``--cost`` for each task that the
coordinator handles; ``benchmarks/scaling.py`` measures this cost. Every task must end with exactly one outcome, and the ledger must
agree; otherwise the script fails. *ideal* is the time that the work takes on all workers without any faults.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
from simulated_cluster import Faults, Shape, SimulatedClock, SimulatedCluster

from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Failed, Task

WORKERS = 8  # per node
TASKS = 150  # per worker
MEAN = 0.5  # seconds per task
POISON = 500  # one task in this many fails permanently
HANDLER = HandlerRef.to(len)  # never called: the nodes are simulated


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one simulation. Times are in simulated seconds, ``took`` in real ones."""

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


def simulate(shape: Shape, faults: Faults, *, tasks: int, seed: int) -> Row:
    """Run ``tasks`` tasks to completion on a cluster of this ``shape`` and check the outcomes against the ledger."""
    clock, ledger = SimulatedClock(), MemoryLedger()
    cluster = SimulatedCluster(shape, faults, clock=clock, rng=random.Random(seed))
    outcomes: Counter[bytes] = Counter()
    failed = 0
    start = time.perf_counter()
    policy = Policy(window=4 * cluster.workers)
    with open_run(
        poisoned_tasks(tasks), HANDLER, executor=cluster, ledger=ledger, policy=policy, clock=clock, rng=random.Random(seed)
    ) as run:
        for outcome in run:
            outcomes[outcome.task.key] += 1
            failed += isinstance(outcome, Failed)
            if not isinstance(outcome, Done | Failed):
                raise SystemExit(f"unexpected: {outcome}")
    check(outcomes, tasks, failed, ledger)
    return Row(
        nodes=shape.nodes,
        workers=cluster.workers,
        tasks=tasks,
        failed=failed,
        ideal=cluster.work / cluster.workers,
        makespan=clock.elapsed(),
        tasks_per_second=tasks / clock.elapsed(),
        took=time.perf_counter() - start,
        **cluster.tally,
    )


def poisoned_tasks(count: int) -> Iterator[Task]:
    """Yield ``count`` tasks; one in ``POISON`` fails."""
    return (Task.of(f"{number:09}", b"poison" if number % POISON == POISON - 1 else b"") for number in range(count))


def check(outcomes: Counter[bytes], tasks: int, failed: int, ledger: MemoryLedger) -> None:
    """End the script if a task has no outcome, or two, or another than in the ledger."""
    counts = ledger.counts()
    if len(outcomes) != tasks or set(outcomes.values()) != {1}:
        raise SystemExit(f"{tasks} tasks, {len(outcomes)} with an outcome, {sum(outcomes.values())} outcomes")
    if (counts.done, counts.failed, counts.pending) != (tasks - failed, failed, 0) or failed != tasks // POISON:
        raise SystemExit(f"the ledger holds {counts}, {failed} failed of {tasks}")


def scenarios(nodes: list[int], per_worker: int) -> Iterator[tuple[str, int, int, Faults]]:
    """Yield the scenarios: each size of cluster, with and without faults."""
    storm = Faults(lifetime=900.0, reboot=120.0, cut_off_every=120.0, cut_off_for=20.0, straggling=0.05, lease=15.0)
    for count in nodes:
        for name, faults in (("calm", Faults()), ("storm", storm)):
            yield name, count, count * WORKERS * per_worker, faults


def main() -> None:
    """Print a table, or one JSON record per line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="10,100,1000", help="numbers of nodes to simulate")
    parser.add_argument("--tasks", type=int, default=TASKS, help="tasks per worker")
    parser.add_argument("--mean", type=float, default=MEAN, help="mean seconds per task")
    parser.add_argument("--cost", type=float, default=60e-6, help="coordinator seconds per task")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random generator")
    parser.add_argument("--json", action="store_true", help="print one JSON record per line")
    arguments = parser.parse_args()
    show: Callable[[str, Row], None] = show_json if arguments.json else show_line
    for name, nodes, tasks, faults in scenarios([int(part) for part in arguments.nodes.split(",")], arguments.tasks):
        shape = Shape(nodes=nodes, workers=WORKERS, mean=arguments.mean, cost=arguments.cost)
        show(name, simulate(shape, faults, tasks=tasks, seed=arguments.seed))
        sys.stdout.flush()


def show_json(name: str, row: Row) -> None:
    """Print ``row`` for programs."""
    print(json.dumps({"scenario": name, **msgspec.structs.asdict(row)}))


def show_line(name: str, row: Row) -> None:
    """Print ``row`` for people."""
    print(
        f"{name:<6} {row.nodes:>5,} nodes {row.tasks:>9,} tasks: makespan {row.makespan:7.1f} s, ideal {row.ideal:6.1f} s "
        f"({row.ideal / row.makespan:4.0%}), {row.tasks_per_second:>8,.0f}/s; {row.deaths} deaths, {row.cut_offs} cut-offs, "
        f"{row.stragglers} stragglers, {row.leased_anew:,} leased again, {row.late_answers:,} late answers; took {row.took:.0f} s"
    )


if __name__ == "__main__":
    main()
