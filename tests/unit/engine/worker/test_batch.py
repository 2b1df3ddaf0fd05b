"""Tasks that a worker handles together: one at a time, gathered for one call, and one pays for a fault."""

import os
import threading
import time
from contextlib import closing

import pytest

from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.worker.batch import Batch, BatchedTask, BatchStages
from pixmill.engine.worker.stages import PublishedStages


@pytest.fixture
def together():
    """Return a function that runs functions of a batch as its tasks, and returns what each of them returned or raised."""

    def run(*tasks):
        batch, results = Batch(), [None] * len(tasks)

        def call(index):
            try:
                results[index] = tasks[index](batch)
            except BaseException as error:  # noqa: BLE001  # to be looked at
                results[index] = repr(error)

        batch.run([lambda index=index: call(index) for index in range(len(tasks))])
        return results

    return run


class Doubler:
    """Doubles numbers, remembers how many it was given at once, and raises an exception that is one of its numbers."""

    def __init__(self):
        self.sizes = []

    def __call__(self, numbers):
        self.sizes.append(len(numbers))
        for number in numbers:
            if isinstance(number, BaseException):
                raise number
        return [2 * number for number in numbers]


def test_one_call_serves_all_tasks_of_a_batch_again_and_again(together):
    double = Doubler()

    def task(number):
        return lambda batch: [batch.gather(number + each, double).outcome() for each in range(3)]

    assert together(*map(task, (10, 20, 30))) == [[20, 22, 24], [40, 42, 44], [60, 62, 64]]
    assert double.sizes == [3, 3, 3]


def test_a_task_that_fails_or_needs_fewer_calls_keeps_no_other_waiting(together):
    double = Doubler()

    def failing(batch):
        batch.gather(1, double).outcome()
        raise ValueError("on its own")

    results = together(
        failing,
        lambda batch: [batch.gather(each, double).outcome() for each in (20, 30)],
        lambda batch: "nothing to gather",  # noqa: ARG005  # it has a batch
    )
    assert results == ["ValueError('on its own')", [40, 60], "nothing to gather"]
    assert double.sizes == [2, 1]


@pytest.mark.parametrize("bad", [ValueError("not this one"), SystemExit(3)], ids=repr)
def test_a_value_that_cannot_be_served_costs_only_its_own_task(together, bad):
    double = Doubler()

    def task(number):
        return lambda batch: batch.gather(number, double).outcome()

    assert together(task(1), task(bad), task(3)) == [2, repr(bad), 6]
    assert double.sizes == [3, 1, 1, 1]


def test_only_one_task_runs_at_any_moment(together):
    running, most = [0], [0]

    def task(batch):
        for number in range(3):
            running[0] += 1
            most[0] = max(most[0], running[0])
            threading.Event().wait(0.002)
            running[0] -= 1
            batch.gather(number, Doubler())

    together(*[task] * 5)
    assert most == [1]


def test_those_that_gather_for_something_else_are_served_after_one_another(together):
    double, triple = Doubler(), lambda numbers: [3 * number for number in numbers]
    results = together(
        lambda batch: batch.gather(1, double).outcome(),
        lambda batch: batch.gather(1, triple).outcome(),
        lambda batch: batch.gather(2, double).outcome(),
    )
    assert results == [2, 3, 4]
    assert double.sizes == [2]


def test_a_function_that_loses_a_value_fails_them(together):
    results = together(*[lambda batch: batch.gather(1, lambda numbers: numbers[1:]).outcome()] * 2)
    assert results == ["TypeError('expected 1 results, received 0')"] * 2


@pytest.fixture
def slot():
    slot, descriptor = StatusSlot.create()
    os.close(descriptor)
    with closing(slot):
        yield slot


def test_the_stages_of_all_batches_share_the_names_in_the_status_slot(slot):
    stages = PublishedStages(slot)
    for _ in range(200):
        task = BatchStages(slot, Batch(), stages.indexes)
        for stage in ("read", "decode", "transform"):
            task.enter(stage)
    assert slot.current_task().stage == "transform"


def test_the_time_of_a_call_is_shared_and_waiting_for_it_is_in_no_stage(slot):
    batch = Batch()

    def sleeping(numbers):
        time.sleep(0.4)
        return numbers

    def handler(payload, stages):
        stages.enter("transform")
        stages.gather(payload, sleeping)
        return payload

    tasks = [BatchedTask(handler, b"1", BatchStages(slot, batch, {"": 0}), 0) for _ in range(4)]
    batch.run([task.run for task in tasks])
    seconds = [task.timings["transform"] for task in tasks]
    assert sum(seconds) >= 0.4
    assert min(seconds) >= 0.1
    assert max(seconds) < 0.4
