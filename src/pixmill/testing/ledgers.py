"""The contract of ledgers as tests. Subclass ``LedgerSuite`` in a test module, define the fixture ``opener``, and run pytest."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from typing import ClassVar

import msgspec
import pytest

from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Skipped, State, Task
from pixmill.testing.ledger_notes import CarriedOnSuite, NotesSuite
from pixmill.testing.ledger_tasks import BROKEN, begun, fail, finish, fresh, number, tasks

#: opens the same ledger on each call; must be picklable if the ledger is ``durable``, so that a new process can use it
Opener = Callable[[], Ledger]


class LedgerSuite(NotesSuite, CarriedOnSuite):
    """The contract of ``Ledger`` as tests. ``durable`` says whether the ledger outlives its process."""

    durable: ClassVar[bool] = True

    @pytest.fixture
    def opener(self) -> Opener:
        """Return a function that opens the ledger under test; empty at first."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, opener: Opener) -> Iterator[Ledger]:
        """Return the ledger after the start of a run."""
        with closing(opener()) as ledger:
            ledger.begin_run()
            yield ledger

    def test_a_new_task_is_pending_with_no_attempts(self, ledger: Ledger) -> None:
        assert ledger.get_or_add(tasks(2)) == [fresh(task, is_new=True) for task in tasks(2)]
        assert ledger.counts() == Counts(pending=2)

    def test_get_or_add_returns_records_in_the_order_of_the_tasks(self, ledger: Ledger) -> None:
        finish(ledger, tasks(3))
        new = Task(number(9), b"new")
        records = ledger.get_or_add([tasks(3)[2], new, tasks(3)[0]])
        assert [record.key for record in records] == [b"key-2", b"new", b"key-0"]
        assert [record.state for record in records] == [State.DONE, State.PENDING, State.DONE]

    def test_looking_up_changes_nothing(self, ledger: Ledger) -> None:
        added, new = tasks(2)
        ledger.get_or_add([added])
        assert ledger.get_exact([added, new, Task(number(9), added.key)]) == [fresh(added), None, None]
        assert ledger.get([added.key, new.key]) == [fresh(added), None]
        assert ledger.counts() == Counts(pending=1)

    def test_a_done_task_keeps_its_result(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        before = time.time()
        ledger.record_outcomes([Done(task=task, result=b"\0result\xff", seconds=1.5)])
        (record,) = ledger.get_or_add([task])
        assert (record.state, record.attempts, record.result, record.seconds) == (State.DONE, 1, b"\0result\xff", 1.5)
        assert record.failure is None
        assert before - 1 <= record.finished_at <= time.time() + 1

    def test_a_failed_task_keeps_the_complete_failure(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        fail(ledger, [task])
        (record,) = ledger.get_or_add([task])
        assert (record.state, record.attempts, record.failure, record.result) == (State.FAILED, 1, BROKEN, b"")

    def test_another_id_makes_the_key_new(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.begin_run()
        fail(ledger, [task])
        changed = Task(number(77), task.key)
        assert ledger.get_or_add([changed]) == [fresh(changed)]
        assert ledger.counts() == Counts(pending=1)

    def test_the_last_result_of_a_key_is_kept_until_it_is_done_again(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        finish(ledger, [task])
        former = b"result of " + task.key
        changed, again = Task(number(77), task.key), Task(number(78), task.key)
        assert ledger.get_or_add([changed]) == [fresh(changed, former=former)]
        ledger.start_attempts([Attempt(changed)])
        assert [record.former for record in ledger.records()] == [former]
        fail(ledger, [changed])
        assert [(record.former, record.result) for record in ledger.records(State.FAILED)] == [(former, b"")]
        assert [record.failure for record in ledger.records(State.FAILED)] == [BROKEN]
        ledger.reset([task.key])
        assert [record.former for record in ledger.records()] == [former]
        assert ledger.get_or_add([again]) == [fresh(again, former=former)]
        finish(ledger, [again])
        assert [(record.former, record.result) for record in ledger.records()] == [(b"", former)]

    def test_the_last_result_of_a_key_survives_a_dead_run(self, ledger: Ledger, opener: Opener) -> None:
        (task,) = tasks(1)
        finish(ledger, [task])
        changed = Task(number(77), task.key)
        ledger.get_or_add([changed])
        ledger.start_attempts([Attempt(changed)])
        if self.durable:
            ledger.close()
            ledger = opener()
        ledger.begin_run(begun=[begun(changed)])
        assert [(record.former, record.interruptions) for record in ledger.records()] == [(b"result of " + task.key, 1)]
        ledger.close()

    def test_renewing_makes_finished_tasks_pending_under_their_id(self, ledger: Ledger) -> None:
        done, failed = tasks(2)
        finish(ledger, [done])
        ledger.get_or_add([failed])
        fail(ledger, [failed])
        ledger.renew([done, failed])
        expected = [fresh(done, former=b"result of " + done.key), fresh(failed)]
        assert list(ledger.records()) == expected

    def test_a_skipped_task_is_pending_and_counts_no_attempt(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.record_outcomes([Skipped(task=task, reason="exists")])
        assert list(ledger.records()) == [fresh(task)]
        ledger.begin_run()
        assert list(ledger.records()) == [fresh(task)]

    def test_calls_about_an_older_id_are_ignored(self, ledger: Ledger) -> None:
        (old,) = tasks(1)
        changed = Task(number(77), old.key)
        ledger.get_or_add([old])
        ledger.start_attempts([Attempt(old)])
        ledger.get_or_add([changed])
        ledger.release_attempts([old])
        ledger.start_attempts([Attempt(old)])
        ledger.record_outcomes([Done(task=old)])
        assert ledger.counts() == Counts(pending=1)
        assert ledger.get_or_add([changed]) == [fresh(changed)]

    def test_every_start_counts_as_an_attempt(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.start_attempts([Attempt(task, 2)])
        (record,) = ledger.get_or_add([task])
        assert (record.attempts, record.state) == (2, State.PENDING)

    def test_a_released_attempt_does_not_count(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.release_attempts([task])
        ledger.release_attempts([task])
        assert ledger.get_or_add([task]) == [fresh(task)]
        ledger.begin_run(begun=[begun(task)])
        assert ledger.get_or_add([task])[0].interruptions == 0

    def test_a_dead_run_leaves_an_interruption_where_a_task_had_begun_and_no_attempt(self, ledger: Ledger, opener: Opener) -> None:
        died, queued, idle, done = tasks(4)
        ledger.get_or_add([died, queued, idle, done])
        ledger.start_attempts([Attempt(died), Attempt(queued), Attempt(done)])
        ledger.record_outcomes([Done(task=done)])
        with closing(opener()) as after:
            after.begin_run(begun=[begun(died), begun(idle), begun(done), begun(Task(number(99), b"unknown"))])
            records = after.get_or_add([died, queued, idle, done])
            assert [(record.attempts, record.interruptions) for record in records] == [(0, 1), (0, 0), (0, 0), (1, 0)]
            assert [record.state for record in records[:2]] == [State.PENDING, State.PENDING]
            after.begin_run(begun=[begun(died)])
            assert after.get_or_add([died])[0].interruptions == 1

    def test_deaths_are_kept_with_their_circumstances_until_the_task_ends(self, ledger: Ledger) -> None:
        done, failed, waiting = tasks(3)
        ledger.get_or_add([done, failed, waiting])
        for alone in (False, True):
            ledger.start_attempts([Attempt(task) for task in (done, failed, waiting)])
            ledger.begin_run(begun=[begun(task, seconds=1.5 + alone, alone=alone) for task in (done, failed, waiting)])
        expected = msgspec.structs.replace(fresh(done), interruptions=2, lone_deaths=1, tried_at=7.0, death_seconds=(1.5, 2.5))
        assert ledger.get([done.key]) == [expected]
        ledger.start_attempts([Attempt(task) for task in (done, failed, waiting)])
        ledger.release_attempts([waiting])
        ledger.record_outcomes([Done(task=done), Failed(task=failed, failure=BROKEN)])
        assert [record.interruptions for record in ledger.records()] == [0, 0, 2]
        assert [record.death_seconds for record in ledger.records()] == [(), (), (1.5, 2.5)]
        copy = MemoryLedger()
        copy.import_records(ledger.records())
        assert ledger.import_records(copy.records()) == 3
        assert list(ledger.records()) == list(copy.records())
        ledger.renew([waiting])
        assert ledger.get([waiting.key]) == [fresh(waiting)]

    def test_a_finished_task_that_is_started_again_is_pending(self, ledger: Ledger) -> None:
        (task,) = tasks(1)
        finish(ledger, [task])
        ledger.start_attempts([Attempt(task, 2)])
        (record,) = ledger.get_or_add([task])
        assert (record.state, record.result) == (State.PENDING, b"")

    def test_skipped_and_remembered_outcomes_change_nothing(self, ledger: Ledger) -> None:
        done, failed = tasks(2)
        finish(ledger, [done])
        fail(ledger, [failed])
        before = ledger.get_or_add([done, failed])
        other = Failure(code="other", stage="other", message="other")
        ledger.record_outcomes([Skipped(task=done), Failed(task=failed, failure=other, remembered=True)])
        assert ledger.get_or_add([done, failed]) == before

    def test_the_numbers_add_up_after_every_call(self, ledger: Ledger) -> None:
        for step in (
            lambda: ledger.get_or_add(tasks(10)),
            lambda: ledger.start_attempts([Attempt(task) for task in tasks(6)]),
            lambda: ledger.record_outcomes([Done(task=task) for task in tasks(3)]),
            lambda: ledger.record_outcomes([Failed(task=tasks(5)[4], failure=BROKEN)]),
            lambda: ledger.release_attempts(tasks(6)[3:4]),
            ledger.begin_run,
        ):
            step()
            counts = ledger.counts()
            assert counts.found == counts.done + counts.failed + counts.pending == 10
            assert counts.found == len(list(ledger.records()))
        assert ledger.counts() == Counts(done=3, failed=1, pending=6)

    def test_records_come_in_the_order_of_their_keys(self, ledger: Ledger) -> None:
        keys = [b"b", b"\xff\xfe", b"a/b", b"a", b"a.jpg", b"\xc3\xa4", b"a\nb", b"B"]
        ledger.get_or_add([Task(number(1), key) for key in keys])
        assert [record.key for record in ledger.records()] == sorted(keys)

    def test_records_can_be_filtered_by_state(self, ledger: Ledger) -> None:
        all_tasks = tasks(9)
        ledger.get_or_add(all_tasks)
        finish(ledger, all_tasks[:4])
        fail(ledger, all_tasks[4:6])
        ledger.start_attempts([Attempt(all_tasks[6])])
        keys = {state: [record.key for record in ledger.records(state)] for state in State}
        assert keys[State.DONE] == [task.key for task in all_tasks[:4]]
        assert keys[State.FAILED] == [task.key for task in all_tasks[4:6]]
        assert keys[State.PENDING] == [task.key for task in all_tasks[6:]]

    def test_the_ledger_may_be_changed_while_its_records_are_read(self, ledger: Ledger) -> None:
        many = tasks(3000)
        fail(ledger, many)
        assert ledger.reset(record.key for record in ledger.records(State.FAILED)) == 3000
        assert ledger.counts() == Counts(pending=3000)

    def test_resetting_makes_keys_new(self, ledger: Ledger) -> None:
        untouched, reset = tasks(2)
        fail(ledger, [untouched, reset])
        assert ledger.reset([reset.key, b"unknown"]) == 1
        assert ledger.counts() == Counts(failed=1, pending=1)
        assert ledger.get_or_add([reset]) == [fresh(reset)]

    def test_deleting_removes_keys_and_returns_their_records(self, ledger: Ledger) -> None:
        untouched, deleted = tasks(2)
        finish(ledger, [untouched, deleted])
        before = list(ledger.records())
        assert ledger.delete([deleted.key, b"unknown"]) == [record for record in before if record.key == deleted.key]
        assert [record.key for record in ledger.records()] == [untouched.key]
        assert ledger.get_or_add([deleted]) == [fresh(deleted, is_new=True)]

    def test_imported_records_are_unchanged(self, ledger: Ledger) -> None:
        done, failed, pending = tasks(3)
        other = MemoryLedger()
        finish(other, [done])
        fail(other, [failed])
        other.get_or_add([pending])
        fail(ledger, [done])
        assert ledger.import_records(other.records()) == 3
        assert list(ledger.records()) == list(other.records())
        assert ledger.counts() == other.counts()

    def test_an_imported_task_is_not_in_flight(self, ledger: Ledger, opener: Opener) -> None:
        (task,) = tasks(1)
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        imported = Record(key=task.key, id=task.id, state=State.PENDING, attempts=1)
        ledger.import_records([imported])
        if self.durable:
            ledger.close()
            ledger = opener()
        ledger.begin_run()
        assert ledger.get([task.key]) == [imported]
        ledger.close()

    def test_runs_are_remembered_with_their_counts(self, ledger: Ledger) -> None:
        first = ledger.begin_run(metadata=b'{"recipe": 1}')
        ledger.end_run(Counts(done=3, skipped=2, failed=1, pending=4), "finished")
        second = ledger.begin_run()
        _, one, two = ledger.runs()
        assert (one.number, one.metadata, one.reason) == (first, b'{"recipe": 1}', "finished")
        assert one.counts == Counts(done=3, skipped=2, failed=1, pending=4)
        assert one.ended_at >= one.started_at > 0
        assert (two.number, two.ended_at, two.reason) == (second, 0, "")
        assert second > first > 0

    def test_empty_calls_are_harmless(self, ledger: Ledger) -> None:
        assert ledger.get_or_add([]) == []
        ledger.start_attempts([])
        ledger.release_attempts([])
        ledger.record_outcomes([])
        assert ledger.reset([]) == 0
        assert list(ledger.records()) == []

    def test_closing_twice_does_nothing(self, ledger: Ledger) -> None:
        ledger.close()
        ledger.close()

    def test_all_records_are_present_after_reopening(self, ledger: Ledger, opener: Opener) -> None:
        finish(ledger, tasks(3))
        fail(ledger, [Task(number(8), b"bad")])
        before = list(ledger.records())
        ledger.close()
        with closing(opener()) as again:
            assert list(again.records()) == before

    @pytest.mark.parametrize("calls", [1, 2, 3, 7, 40])
    def test_recorded_changes_survive_kill_9_at_the_next_instruction(self, opener: Opener, calls: int) -> None:
        if not self.durable:
            pytest.skip("this ledger does not outlive its process")
        reported = _kill_a_writer_after(calls, opener)
        with closing(opener()) as ledger:
            ledger.begin_run()
            records = {record.key: record for record in ledger.records()}
            assert ledger.counts().found == len(records)
        for index in range(reported["added"]):
            assert tasks(index + 1)[-1].key in records
        for index in range(reported["finished"]):
            assert records[tasks(index + 1)[-1].key].state == State.DONE
        for index in range(reported["finished"] + 1, reported["started"]):
            record = records[tasks(index + 1)[-1].key]
            assert (record.attempts, record.interruptions) == (0, 0)


def _kill_a_writer_after(calls: int, opener: Opener) -> dict[str, int]:
    """Start a process that writes, kill it after it has reported ``calls`` calls, and return the number of each kind reported."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    writer = context.Process(target=_write_forever, args=(opener, sender))
    writer.start()
    sender.close()
    reported = {"added": 0, "started": 0, "finished": 0}
    try:
        while True:
            reported[receiver.recv()] += 1
            if sum(reported.values()) == calls:
                writer.kill()
    except EOFError:
        pass
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    return reported


def _write_forever(opener: Opener, sender: Connection) -> None:
    ledger = opener()
    ledger.begin_run()
    for index in range(1_000_000):
        task = Task(number(index), b"key-%d" % index)
        ledger.get_or_add([task])
        sender.send("added")
        ledger.start_attempts([Attempt(task)])
        sender.send("started")
        if index:
            ledger.record_outcomes([Done(task=Task(number(index - 1), b"key-%d" % (index - 1)))])
            sender.send("finished")
