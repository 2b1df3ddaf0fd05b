"""Works that run phase by phase."""

import pytest

from pixmill.core.phases import completed, in_lockstep


def work(log, name, steps):
    """Write a line for each phase, and one when it is aborted."""
    try:
        for step in range(steps):
            log.append(f"{name}{step}")
            yield
        log.append(f"{name} done")
    except GeneratorExit:
        log.append(f"{name} given up")


def test_the_results_of_works_in_lockstep_are_in_their_order():
    def counting(number):
        for _ in range(number):
            yield
        return number

    assert completed(in_lockstep(map(counting, (3, 0, 1)))) == [3, 0, 1]


def test_works_advance_phase_by_phase_until_each_is_done():
    log = []
    assert len(list(in_lockstep([work(log, "a", 2), work(log, "b", 0), work(log, "c", 1)]))) == 2
    assert log == ["a0", "b done", "c0", "a1", "c done", "a done"]


def test_nothing_runs_before_the_first_phase_is_requested():
    log = []
    in_lockstep([work(log, "a", 2)])
    assert log == []


def test_when_one_fails_the_others_are_aborted():
    def failing():
        yield
        raise OSError("the disk is gone")

    log = []
    with pytest.raises(OSError, match="gone"):
        list(in_lockstep([work(log, "a", 3), failing(), work(log, "c", 3)]))
    assert log == ["a0", "c0", "a1", "a given up", "c given up"]


def test_closing_the_group_aborts_every_work():
    log = []
    steps = in_lockstep([work(log, "a", 3), work(log, "b", 3)])
    next(steps)
    steps.close()
    assert log == ["a0", "b0", "a given up", "b given up"]
