"""The heart of a run: from a stream of tasks to exactly one final outcome for each.

One turn of the loop: read ahead, send what there is room for, wait for reports, decide what each means. The ledger hears
of everything before anybody else does, of several outcomes at once.
"""

import random
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.clock import Clock
from pixmill.engine.events import AttemptStarted, SourceExhausted, TaskFinished, TaskFound, TaskRetried, WorkerLost, WorkersSeen
from pixmill.engine.executor import Answered, Executor, Lost, Report, Told
from pixmill.engine.failures import CROWDED, SKIPPED
from pixmill.engine.ledger import FINISHED, Ledger
from pixmill.engine.observability.publisher import Announcer
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import Memory, resident_memory
from pixmill.engine.scheduling.admission import Admission
from pixmill.engine.scheduling.backlog import Backlog
from pixmill.engine.scheduling.commit_batch import Gathering
from pixmill.engine.scheduling.task_reader import Intake
from pixmill.engine.scheduling.throttle import THROTTLED, Throttling
from pixmill.engine.scheduling.token_bucket import TokenBucket
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Outcome, Skipped, Task

_TICK = 0.25
_ROUND = 1.0
_GLANCE = 0.05  # at a source that had nothing: how late a task may be noticed that has only just come


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheduler works with."""

    executor: Executor
    ledger: Ledger
    policy: Policy
    admission: Admission
    announcer: Announcer
    memory: Memory
    clock: Clock
    chance: random.Random


class Scheduler:
    """Runs the tasks of one stream to their ends. Iterate for the outcomes.

    ``reason`` is empty until a stop is asked for or all is finished.
    """

    def __init__(self, tasks: Iterable[Task | None], parts: Parts) -> None:
        """Read nothing yet."""
        self._parts = parts
        self._intake = Intake(tasks, parts.clock)
        self._backlog = Backlog()
        self._ended = Gathering(parts.clock)
        self._throttling = Throttling(parts.announcer, parts.clock, parts.chance)
        self._in_flight: dict[bytes, Task] = {}
        self._sent: dict[bytes, float] = {}
        self._next_round = parts.clock.elapsed() + _ROUND
        self._outstanding = 0
        self._hermit: bytes | None = None
        self._bucket = TokenBucket(parts.policy.max_rate, parts.clock) if parts.policy.max_rate else None
        self._tally = {"done": 0, "skipped": 0, "failed": 0}
        self._found = 0
        self._fatal: Failure | None = None
        self._deadline: float | None = None
        self._is_killed = False
        self.reason = ""

    @property
    def counts(self) -> Counts:
        """What has become of the tasks so far."""
        return Counts(**self._tally, pending=self._found - sum(self._tally.values()))

    def stop(self, reason: str) -> None:
        """Take no more tasks; let what is in flight finish within the grace. May be called from a signal handler."""
        self.reason = self.reason or reason

    def kill(self) -> None:
        """End at once. May be called from a signal handler."""
        self.stop("killed")
        self._is_killed = True

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's final outcome; it is in the ledger by then. ``RunError`` when the environment stops the run."""
        while not self._is_over():
            self._ended.add(self._take_in())
            self._dispatch()
            reports = self._parts.executor.wait(self._patience())
            self._make_a_round()
            self._ended.add(self._judge(reports))
            if self._ended.is_due() or not self._outstanding or self._fatal:
                yield from self._conclude()
            if self._fatal:
                raise RunError(self._fatal.message, hint=self._fatal.hint, code=self._fatal.code)
        yield from self._conclude()
        self.reason = self.reason or FINISHED

    def release(self) -> None:
        """Record what has ended, and give back to the ledger what was started and has no outcome.

        To be called when nothing runs any more.
        """
        self._conclude()
        tasks = [*self._in_flight.values(), *(attempt.task for attempt in self._backlog.clear())]
        self._in_flight.clear()
        if tasks:
            self._parts.ledger.release(tasks)

    def _is_over(self) -> bool:
        if not self.reason:
            return self._intake.is_exhausted and not self._outstanding and not self._backlog
        if self._deadline is None:
            self._wind_down()
        return self._is_killed or not self._outstanding or self._parts.clock.elapsed() >= (self._deadline or 0.0)

    def _wind_down(self) -> None:
        self._deadline = self._parts.clock.elapsed() + self._parts.policy.grace
        waiting = [attempt.task for attempt in self._backlog.clear()]
        if waiting:
            self._parts.ledger.release(waiting)
        self._parts.executor.recall()

    def _take_in(self) -> list[Outcome]:
        """Read ahead up to the window; return the outcomes that are known without a try."""
        space = self._parts.policy.window - len(self._backlog)
        if self.reason or self._intake.is_exhausted or space <= 0:
            return []
        tasks = self._intake.take(space)
        outcomes, attempts = self._parts.admission.admit(tasks) if tasks else ([], [])
        self._found += len(tasks)
        for task in tasks:
            self._parts.announcer.announce(TaskFound, task=task)
        if self._intake.is_exhausted:
            self._parts.announcer.announce(SourceExhausted, found=self._found)
        self._backlog.append(attempts)
        return outcomes

    def _dispatch(self) -> None:
        """Submit what there is room for. A hermit goes when all the others have ended, and they wait until it has."""
        if self.reason or self._hermit:
            return
        self._backlog.wake(self._parts.clock.elapsed())
        if self._backlog.hermits:
            if not self._outstanding and self._parts.executor.room():
                hermit = self._backlog.hermits.popleft()
                self._hermit = hermit.task.key
                self._submit([self._parts.memory.whole(hermit)])
            return
        wanted = min(self._parts.executor.room(), self._backlog.ready)
        if self._bucket and wanted:
            wanted = self._bucket.take(wanted)
        if wanted:
            self._submit(self._parts.memory.shared(self._backlog.take(wanted)))

    def _submit(self, attempts: Sequence[Attempt]) -> None:
        self._parts.ledger.start(attempts)
        self._outstanding += len(attempts)
        now = self._parts.clock.elapsed()
        for attempt in attempts:
            self._in_flight[attempt.task.key] = attempt.task
            self._sent[attempt.task.key] = now
            self._parts.announcer.announce(AttemptStarted, attempt=attempt)
        self._parts.executor.submit(attempts)

    def _patience(self) -> float:
        """Return how long there is nothing to do but wait."""
        reads_on = not self.reason and not self._intake.is_exhausted and len(self._backlog) < self._parts.policy.window
        if reads_on and not self._intake.is_idle:
            return 0.0
        now = self._parts.clock.elapsed()
        pauses = [_GLANCE if reads_on else _TICK]
        due = self._backlog.next_due()
        if due is not None:
            pauses.append(due - now)
        if self._bucket and self._backlog.ready and not self.reason:
            pauses.append(self._bucket.pause())
        held = self._ended.pause()
        if held is not None:
            pauses.append(held)
        if self._deadline is not None:
            pauses.append(self._deadline - now)
        return max(0.0, min(pauses))

    def _judge(self, reports: Iterable[Report]) -> list[Outcome]:
        """Return the final outcomes among ``reports``; arrange for what follows the others."""
        outcomes: list[Outcome | None] = []
        for report in reports:
            if isinstance(report, Answered):
                outcomes.append(self._judge_answer(report))
            elif isinstance(report, Lost):
                outcomes.append(self._judge_loss(report))
            elif isinstance(report, Told):
                self._parts.announcer.announce(report.kind, **report.facts)
            else:
                self._take_back(report.attempts)
        return [outcome for outcome in outcomes if outcome]

    def _judge_answer(self, answer: Answered) -> Outcome | None:
        attempt, failure = answer.attempt, answer.failure
        out = self._return_from(attempt)
        self._throttling.hear(answer)
        if failure is None:
            return Done(
                task=attempt.task,
                result=answer.result,
                attempts=attempt.number,
                seconds=answer.seconds,
                timings={"queue": max(0.0, out - answer.seconds), **answer.timings},
                measures=answer.measures,
                node=answer.node,
            )
        if failure.code == SKIPPED:
            return Skipped(task=attempt.task, reason=failure.message)
        if failure.fatal:
            self._fatal = failure
        elif failure.code == CROWDED and not attempt.secluded:
            self._seclude(attempt, failure)
        elif failure.code == THROTTLED:
            self._postpone(attempt, failure)
        elif failure.retryable and attempt.number < self._parts.policy.attempts:
            self._retry(attempt, failure)
        else:
            return Failed(task=attempt.task, failure=failure, attempts=attempt.number, seconds=answer.seconds)
        return None

    def _seclude(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again when nothing else runs; it never ran into trouble, so the try does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task])
        if not self.reason:
            self._parts.announcer.announce(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            self._backlog.hermits.append(attempt)

    def _postpone(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again later; that a storage is overloaded says nothing about the task, so the try does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task])
        self._fatal = self._throttling.end(failure)
        if self._fatal or self.reason:
            return
        delay = self._throttling.pause()
        self._parts.announcer.announce(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        self._backlog.delay(attempt, self._parts.clock.elapsed() + delay)

    def _judge_loss(self, loss: Lost) -> Outcome | None:
        """Try a culprit once more alone in a fresh worker: memory that a neighbour corrupted may have killed it."""
        attempt, failure = loss.attempt, loss.failure
        task = attempt.task if attempt else None
        self._parts.announcer.announce(
            WorkerLost, pid=loss.pid, signal=failure.signal, reason=failure.message, task=task, node=failure.node
        )
        if attempt is None:
            return None
        self._return_from(attempt)
        if attempt.alone or attempt.number >= self._parts.policy.attempts:
            return Failed(task=attempt.task, failure=failure, attempts=attempt.number)
        if not self.reason:
            again = Attempt(attempt.task, attempt.number + 1, alone=True)
            self._parts.announcer.announce(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            if failure.code == "out-of-memory":
                self._backlog.hermits.append(again)
            else:
                self._backlog.put_back([again])
        return None

    def _retry(self, attempt: Attempt, failure: Failure) -> None:
        if self.reason:
            return
        delay = self._parts.policy.pause(attempt.number, self._parts.chance)
        self._parts.announcer.announce(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        again = self._parts.admission.attempt(attempt.task, attempt.number + 1)
        self._backlog.delay(again, self._parts.clock.elapsed() + delay)

    def _take_back(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._return_from(attempt)
            self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task for attempt in attempts])
        if not self.reason:
            self._backlog.put_back(attempts)

    def _return_from(self, attempt: Attempt) -> float:
        """Note that nothing runs for ``attempt`` any more, and return for how many seconds it was away.

        Its task stays in flight for the ledger until it has an outcome.
        """
        self._outstanding -= 1
        if self._hermit == attempt.task.key:
            self._hermit = None
        now = self._parts.clock.elapsed()
        return now - self._sent.pop(attempt.task.key, now)

    def _make_a_round(self) -> None:
        """Let the observers see, once a second, what the workers are at."""
        now = self._parts.clock.elapsed()
        if now >= self._next_round:
            self._next_round = now + _ROUND
            self._parts.announcer.announce(WorkersSeen, memory=resident_memory(), posts=self._parts.executor.posts())

    def _conclude(self) -> Sequence[Outcome]:
        """Make final what has ended: the ledger first, then everybody else."""
        outcomes = self._ended.take()
        if not outcomes:
            return outcomes
        self._parts.ledger.finish(outcomes)
        for outcome in outcomes:
            self._in_flight.pop(outcome.task.key, None)
            self._tally[str(outcome.__struct_config__.tag)] += 1
            self._parts.announcer.announce(TaskFinished, outcome=outcome)
        return outcomes
