"""The contract of executors as tests. Subclass a suite in a test module, define the fixture ``executor``, and run pytest."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import TimeLimit
from pixmill.engine.executor import Completed, Executor, ExecutorEvent, Lost, Notification, Returned
from pixmill.engine.failures import DEFERRED
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Task
from pixmill.testing.faulty_handlers import REF

_TIMEOUT = 60.0  # seconds
_POLICY = Policy(timeout=TimeLimit(1))


def attempts(*payloads: str, isolated: bool = False) -> list[Attempt]:
    """Return one attempt for each payload (see ``faulty_handlers``)."""
    return [Attempt(Task.of(f"{number}", payload.encode()), isolated=isolated) for number, payload in enumerate(payloads)]


def run_all(executor: Executor, todo: Sequence[Attempt]) -> list[ExecutorEvent]:
    """Submit ``todo`` as capacity allows, and return all events once every attempt has come back."""
    waiting, events, end = list(todo), list[ExecutorEvent](), time.monotonic() + _TIMEOUT
    while sum(len(returned(event)) for event in events) < len(todo):
        assert time.monotonic() < end, f"attempts still missing after {_TIMEOUT} s; events: {events}"
        capacity = executor.capacity()
        batch, waiting = waiting[:capacity], waiting[capacity:]
        if batch:
            executor.submit(batch)
        events += executor.wait(0.1)
    return events


def returned(event: ExecutorEvent) -> tuple[Attempt, ...]:
    """Return the attempts that ``event`` brings back."""
    if isinstance(event, Returned):
        return event.attempts
    if isinstance(event, Notification):
        return ()
    return () if event.attempt is None else (event.attempt,)


def answers(events: Sequence[ExecutorEvent]) -> dict[bytes, Completed]:
    """Return the completed attempts by payload."""
    return {event.attempt.task.payload: event for event in events if isinstance(event, Completed)}


def losses(events: Sequence[ExecutorEvent]) -> list[Lost]:
    """Return the lost workers for which an attempt is to blame."""
    return [event for event in events if isinstance(event, Lost) and event.attempt]


class ExecutorSuite:
    """The contract of ``Executor`` as tests, for executors that do not isolate the caller from crashes."""

    @pytest.fixture
    def executor(self) -> Executor:
        """Return the executor under test with two workers, not started."""
        raise NotImplementedError

    @pytest.fixture
    def started(self, executor: Executor) -> Iterator[Executor]:
        """Return the executor, started with the faulty handler and a deadline of one second."""
        with closing(executor):
            executor.start(REF, _POLICY)
            yield executor

    def test_every_attempt_comes_back_once(self, started: Executor) -> None:
        todo = attempts(*(f"echo {number}" for number in range(2000)))
        events = run_all(started, todo)
        back = [attempt for event in events for attempt in returned(event)]
        assert sorted(attempt.task.key for attempt in back) == sorted(attempt.task.key for attempt in todo)

    def test_an_answer_carries_the_result_the_timings_and_the_counts(self, started: Executor) -> None:
        (answer,) = answers(run_all(started, attempts("count 3"))).values()
        assert answer.failure is None
        assert answer.measures == {"things": 4}
        assert list(answer.timings) == ["count"]
        assert 0 <= answer.timings["count"] <= answer.seconds

    def test_counts_and_timings_of_one_task_do_not_reach_the_next(self, started: Executor) -> None:
        events = run_all(started, attempts("count 3", "echo x", "count 5"))
        assert {payload: answer.measures for payload, answer in answers(events).items()} == {
            b"count 3": {"things": 4},
            b"echo x": {},
            b"count 5": {"things": 6},
        }, losses(events)

    def test_a_pending_result_is_answered_once_it_is_committed(self, started: Executor, tmp_path: Path) -> None:
        todo = [f"later log {tmp_path / str(number)} sleep 0.01" for number in range(20)]
        waiting = attempts(*todo)
        while waiting:
            capacity = started.capacity()
            batch, waiting = waiting[:capacity], waiting[capacity:]
            started.submit(batch)
            for event in started.wait(1.0):
                assert isinstance(event, Completed), event
                name = event.attempt.task.key.decode()
                assert (tmp_path / name).exists(), "answered before it was committed"

    def test_a_failed_commit_fails_with_the_stage_and_the_counts_of_both_parts(self, started: Executor) -> None:
        completed = answers(run_all(started, attempts("later raise eio", "later count 3")))
        refused, counted = completed[b"later raise eio"], completed[b"later count 3"]
        assert refused.failure is not None
        assert (refused.failure.stage, refused.failure.retryable, refused.result) == ("raise", True, b"")
        assert (counted.failure, counted.result, counted.measures) == (None, b"count 3", {"things": 5})
        assert list(counted.timings) == ["later", "count"]

    def test_a_deferred_task_comes_back_with_what_the_handler_found(self, started: Executor) -> None:
        (answer,) = answers(run_all(started, attempts("defer what it found"))).values()
        assert answer.failure is not None
        assert (answer.failure.code, answer.result) == (DEFERRED, b"what it found")

    def test_payloads_and_results_of_megabytes_go_through(self, started: Executor) -> None:
        big = "echo " + "x" * 3_000_000
        todo = attempts(*[big] * 5, *["big 5000000"] * 5)
        events = run_all(started, todo)
        sizes = [len(event.result) for event in events if isinstance(event, Completed)]
        assert sorted(sizes) == [len(big)] * 5 + [5_000_000] * 5, [lost.failure for lost in losses(events)]

    def test_a_handlers_error_is_a_failure_with_code_stage_and_trace(self, started: Executor) -> None:
        completed = answers(run_all(started, attempts("raise value", "raise corrupt")))
        foreign, own = completed[b"raise value"].failure, completed[b"raise corrupt"].failure
        assert foreign is not None
        assert own is not None
        assert (foreign.code, foreign.stage, foreign.retryable, foreign.fatal) == ("handler", "raise", False, False)
        assert "ValueError: that is no value" in foreign.trace
        assert (own.code, own.stage, own.message, own.hint) == ("read-corrupt", "read", "it is corrupt", "look at it")

    def test_a_transient_error_is_retryable_and_an_error_that_ends_the_run_is_fatal(self, started: Executor) -> None:
        completed = answers(run_all(started, attempts("raise eio", "raise transient", "raise fatal")))
        failures = {payload: answer.failure for payload, answer in completed.items() if answer.failure}
        assert {payload for payload, failure in failures.items() if failure.retryable} == {b"raise eio", b"raise transient"}
        assert {payload for payload, failure in failures.items() if failure.fatal} == {b"raise fatal"}

    def test_a_handler_that_exits_or_returns_no_bytes_fails_its_task_only(self, started: Executor) -> None:
        completed = answers(run_all(started, attempts("raise exit", "text", "echo x")))
        assert [completed[payload].failure is None for payload in (b"raise exit", b"text", b"echo x")] == [False, False, True]

    def test_a_cancelled_attempt_comes_back_untried(self, started: Executor, tmp_path: Path) -> None:
        log = tmp_path / "log"
        todo = attempts(*(f"log {log} sleep 0.3" for _ in range(started.capacity() + 1)))
        started.submit(todo)
        started.cancel_pending()
        events = run_all(started, []) + _collect(started, len(todo))
        untried = [attempt for event in events if isinstance(event, Returned) for attempt in event.attempts]
        runs = len(log.read_text().splitlines()) if log.exists() else 0
        assert runs + len(untried) == len(todo)

    def test_closing_twice_is_closing_once(self, executor: Executor) -> None:
        executor.start(REF, _POLICY)
        executor.submit(attempts("sleep 60"))
        executor.close()
        executor.close()

    def test_an_executor_that_was_never_started_can_be_closed(self, executor: Executor) -> None:
        executor.close()

    def test_a_handler_that_cannot_be_loaded_ends_the_run_with_its_own_words(self, executor: Executor) -> None:
        def start_and_wait() -> None:
            executor.start(HandlerRef("pixmill.testing.faulty_handlers:broken"), _POLICY)
            _collect(executor, 1)

        with closing(executor), pytest.raises(RunError, match="libtrouble"):
            start_and_wait()


class IsolatingExecutorSuite(ExecutorSuite):
    """The complete contract, for executors that survive the crash of a task and enforce deadlines."""

    @pytest.mark.parametrize(
        ("payload", "number", "words"),
        [
            ("segfault", signal.SIGSEGV, "SIGSEGV"),
            ("abort", signal.SIGABRT, "SIGABRT"),
            ("signal 8", signal.SIGFPE, "SIGFPE"),
            ("signal 15", signal.SIGTERM, "SIGTERM"),
            ("exit 3", 0, "exited with status 3"),
            ("exit 0", 0, "exited with status 0"),
        ],
    )
    def test_a_crash_is_blamed_on_the_task_that_caused_it(self, started: Executor, payload: str, number: int, words: str) -> None:
        todo = attempts(*["echo x"] * 50, payload, *["echo x"] * 50)
        events = run_all(started, todo)
        (lost,) = losses(events)
        assert lost.attempt == todo[50]
        assert (lost.failure.code, lost.failure.signal) == ("crash", number)
        assert lost.failure.stage == payload.split(maxsplit=1)[0]
        assert words in lost.failure.message
        assert sum(isinstance(event, Completed) for event in events) == 100  # the other attempts

    def test_an_external_kill_is_attributed_to_the_oom_killer(self, started: Executor) -> None:
        (lost,) = losses(run_all(started, attempts("signal 9")))
        assert (lost.failure.code, lost.failure.signal) == ("out-of-memory", signal.SIGKILL)
        assert lost.failure.peak_rss > 1_000_000  # bytes, not kibibytes

    @pytest.mark.parametrize("payload", ["sleep 100", f"signal {getattr(signal, 'SIGSTOP', 0):d}"], ids=["hangs", "stops itself"])
    def test_a_task_that_hangs_is_killed_at_its_deadline(self, started: Executor, payload: str) -> None:
        began = time.monotonic()
        events = run_all(started, attempts("echo a", payload, "echo b", "echo c"))
        (lost,) = losses(events)
        assert lost.attempt is not None
        assert lost.attempt.task.payload == payload.encode()
        assert (lost.failure.code, lost.failure.stage) == ("timeout", payload.split(maxsplit=1)[0])
        assert time.monotonic() - began >= _POLICY.timeout
        assert set(answers(events)) == {b"echo a", b"echo b", b"echo c"}

    def test_an_isolated_attempt_gets_a_fresh_worker(self, started: Executor) -> None:
        used = {answer.result for answer in answers(run_all(started, attempts(*["pid"] * 20))).values()}
        for _ in range(4):
            (answer,) = answers(run_all(started, attempts("pid", isolated=True))).values()
            assert answer.result not in used
            used.add(answer.result)

    def test_what_a_worker_wrote_before_it_died_is_evidence(self, started: Executor) -> None:
        (lost,) = losses(run_all(started, attempts("log /dev/null say one", "segfault")))
        assert "Segmentation fault" in lost.failure.trace
        assert "faulty_handlers.py" in lost.failure.trace
        assert "one" not in lost.failure.trace.splitlines()


def _collect(executor: Executor, expected: int) -> list[ExecutorEvent]:
    events, end = list[ExecutorEvent](), time.monotonic() + _TIMEOUT
    while sum(len(returned(event)) for event in events) < expected:
        assert time.monotonic() < end, f"expected {expected} attempts to come back; events: {events}"
        events += executor.wait(0.1)
    return events
