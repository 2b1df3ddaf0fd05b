"""Memory is divided among the attempts; one that needs more than its share runs when nothing else does."""

from pixmill.engine import HandlerRef, Policy, Task, open_run
from pixmill.engine.resources.memory import IDLE_WORKER, OVERHEAD, MemoryBudget, usable_memory

SHARE = 100_000_000


class Reserving:
    def __call__(self, payload, stages):
        stages.enter("header")
        stages.reserve_memory(int(payload))
        return b"made"


def reserving(_options):
    return Reserving()


def outcomes_of(needs, workers=2):
    policy = Policy(memory=OVERHEAD + workers * SHARE)
    tasks = [Task.of(f"{number}", str(need).encode()) for number, need in enumerate(needs)]
    with open_run(tasks, HandlerRef(f"{__file__}:reserving"), workers=workers, policy=policy) as run:
        return {int(outcome.task.key): outcome for outcome in run}


def test_an_attempt_above_its_share_runs_exclusively():
    most = MemoryBudget(OVERHEAD + 2 * SHARE, 2).exclusive_limit
    assert most > SHARE
    outcomes = outcomes_of([SHARE, SHARE + 1, most])
    assert [type(outcome).__name__ for outcome in outcomes.values()] == ["Done", "Done", "Done"]
    assert [outcome.attempts for outcome in outcomes.values()] == [1, 1, 1]


def test_an_attempt_that_does_not_fit_even_exclusively_is_rejected_with_numbers():
    most = MemoryBudget(OVERHEAD + 2 * SHARE, 2).exclusive_limit
    (failed,) = outcomes_of([most + 1_000_000_000]).values()
    assert failed.failure.code == "limit-memory"
    assert (
        failed.failure.message == f"this needs about {(most + 1e9) / 1e6:,.0f} MB of memory, but may use only {most / 1e6:,.0f} MB"
    )
    assert failed.failure.stage == "header"


def test_an_exclusive_attempt_gets_what_the_idle_workers_leave():
    assert MemoryBudget(OVERHEAD + 4 * SHARE, 4).exclusive_limit == 4 * SHARE - 3 * IDLE_WORKER
    assert MemoryBudget(OVERHEAD + 4 * IDLE_WORKER, 4).exclusive_limit == IDLE_WORKER


def test_the_limit_of_a_control_group_applies_if_it_is_below_the_machines_memory(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    machine = usable_memory(tmp_path)
    (tmp_path / "memory.max").write_text("300000000\n")
    assert usable_memory(tmp_path) == 300_000_000 < machine
