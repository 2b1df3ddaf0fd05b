"""Memory is divided among the tries, and what needs more than its share runs when nothing else does."""

from pixmill.engine import HandlerRef, Policy, Task, open_run
from pixmill.engine.resources.memory import IDLE_WORKER, OVERHEAD, MemoryBudget, usable_memory

SHARE = 100_000_000


class Claiming:
    def __call__(self, payload, stages):
        stages.enter("header")
        stages.reserve_memory(int(payload))
        return b"made"


def claiming(_options):
    return Claiming()


def outcomes_of(needs, workers=2):
    policy = Policy(memory=OVERHEAD + workers * SHARE)
    tasks = [Task.of(f"{number}", str(need).encode()) for number, need in enumerate(needs)]
    with open_run(tasks, HandlerRef(f"{__file__}:claiming"), workers=workers, policy=policy) as run:
        return {int(outcome.task.key): outcome for outcome in run}


def test_what_fits_its_share_runs_beside_others_and_what_does_not_runs_alone():
    most = MemoryBudget(OVERHEAD + 2 * SHARE, 2).exclusive_limit
    assert most > SHARE
    outcomes = outcomes_of([SHARE, SHARE + 1, most])
    assert [type(outcome).__name__ for outcome in outcomes.values()] == ["Done", "Done", "Done"]
    assert [outcome.attempts for outcome in outcomes.values()] == [1, 1, 1]


def test_what_does_not_fit_even_alone_is_refused_with_numbers():
    most = MemoryBudget(OVERHEAD + 2 * SHARE, 2).exclusive_limit
    (failed,) = outcomes_of([most + 1_000_000_000]).values()
    assert failed.failure.code == "limit-memory"
    assert (
        failed.failure.message == f"this needs about {(most + 1e9) / 1e6:,.0f} MB of memory, but may use only {most / 1e6:,.0f} MB"
    )
    assert failed.failure.stage == "header"


def test_the_whole_is_what_the_idle_workers_leave():
    assert MemoryBudget(OVERHEAD + 4 * SHARE, 4).exclusive_limit == 4 * SHARE - 3 * IDLE_WORKER
    assert MemoryBudget(OVERHEAD + 4 * IDLE_WORKER, 4).exclusive_limit == IDLE_WORKER


def test_a_control_group_with_less_than_the_machine_counts(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    machine = usable_memory(tmp_path)
    (tmp_path / "memory.max").write_text("300000000\n")
    assert usable_memory(tmp_path) == 300_000_000 < machine
