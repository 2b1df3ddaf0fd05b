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
from pixmill.engine.executor import Completed, Executor, Lost, Report, Told
from pixmill.engine.failures import LIMIT_MEMORY, SKIPPED
from pixmill.engine.ledger import FINISHED, Ledger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import Memory, resident_memory
from pixmill.engine.scheduling.admission import Admission
from pixmill.engine.scheduling.backlog import Backlog
from pixmill.engine.scheduling.commit_batch import CommitBatch
from pixmill.engine.scheduling.task_reader import TaskReader
from pixmill.engine.scheduling.throttle import THROTTLED, ThrottleBackoff
from pixmill.engine.scheduling.token_bucket import TokenBucket
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Outcome, Skipped, Task

_TICK = 0.25
_STATUS_INTERVAL = 1.0
_IDLE_POLL = 0.05  # at a source that had nothing: how late a task may be noticed that has only just come


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheduler works with."""

    executor: Executor
    ledger: Ledger
    policy: Policy
    admission: Admission
    publisher: EventPublisher
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
        self._reader = TaskReader(tasks, parts.clock)
        self._backlog = Backlog()
        self._ended = CommitBatch(parts.clock)
        self._throttling = ThrottleBackoff(parts.publisher, parts.clock, parts.chance)
        self._in_flight: dict[bytes, Task] = {}
        self._sent: dict[bytes, float] = {}
        self._next_status = parts.clock.elapsed() + _STATUS_INTERVAL
        self._outstanding = 0
        self._exclusive: bytes | None = None
        self._bucket = TokenBucket(parts.policy.max_rate, parts.clock) if parts.policy.max_rate else None
        self._counts = {"done": 0, "skipped": 0, "failed": 0}
        self._found = 0
        self._fatal: Failure | None = None
        self._deadline: float | None = None
        self._is_killed = False
        self.reason = ""

    @property
    def counts(self) -> Counts:
        """What has become of the tasks so far."""
        return Counts(**self._counts, pending=self._found - sum(self._counts.values()))

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
            self._ended.add(self._read_tasks())
            self._dispatch()
            reports = self._parts.executor.wait(self._patience())
            self._publish_worker_status()
            self._ended.add(self._on_events(reports))
            if self._ended.is_due() or not self._outstanding or self._fatal:
                yield from self._commit_outcomes()
            if self._fatal:
                raise RunError(self._fatal.message, hint=self._fatal.hint, code=self._fatal.code)
        yield from self._commit_outcomes()
        self.reason = self.reason or FINISHED

    def release(self) -> None:
        """Record what has ended, and give back to the ledger what was started and has no outcome.

        To be called when nothing runs any more.
        """
        self._commit_outcomes()
        tasks = [*self._in_flight.values(), *(attempt.task for attempt in self._backlog.clear())]
        self._in_flight.clear()
        if tasks:
            self._parts.ledger.release(tasks)

    def _is_over(self) -> bool:
        if not self.reason:
            return self._reader.is_exhausted and not self._outstanding and not self._backlog
        if self._deadline is None:
            self._drain()
        return self._is_killed or not self._outstanding or self._parts.clock.elapsed() >= (self._deadline or 0.0)

    def _drain(self) -> None:
        self._deadline = self._parts.clock.elapsed() + self._parts.policy.grace
        waiting = [attempt.task for attempt in self._backlog.clear()]
        if waiting:
            self._parts.ledger.release(waiting)
        self._parts.executor.recall()

    def _read_tasks(self) -> list[Outcome]:
        """Read ahead up to the window; return the outcomes that are known without a try."""
        space = self._parts.policy.window - len(self._backlog)
        if self.reason or self._reader.is_exhausted or space <= 0:
            return []
        tasks = self._reader.take(space)
        outcomes, attempts = self._parts.admission.admit(tasks) if tasks else ([], [])
        self._found += len(tasks)
        for task in tasks:
            self._parts.publisher.publish(TaskFound, task=task)
        if self._reader.is_exhausted:
            self._parts.publisher.publish(SourceExhausted, found=self._found)
        self._backlog.append(attempts)
        return outcomes

    def _dispatch(self) -> None:
        """Submit what there is room for. A hermit goes when all the others have ended, and they wait until it has."""
        if self.reason or self._exclusive:
            return
        self._backlog.wake(self._parts.clock.elapsed())
        if self._backlog.exclusive:
            if not self._outstanding and self._parts.executor.room():
                exclusive = self._backlog.exclusive.popleft()
                self._exclusive = exclusive.task.key
                self._submit([self._parts.memory.whole(exclusive)])
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
            self._parts.publisher.publish(AttemptStarted, attempt=attempt)
        self._parts.executor.submit(attempts)

    def _patience(self) -> float:
        """Return how long there is nothing to do but wait."""
        reads_on = not self.reason and not self._reader.is_exhausted and len(self._backlog) < self._parts.policy.window
        if reads_on and not self._reader.is_idle:
            return 0.0
        now = self._parts.clock.elapsed()
        pauses = [_IDLE_POLL if reads_on else _TICK]
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

    def _on_events(self, reports: Iterable[Report]) -> list[Outcome]:
        """Return the final outcomes among ``reports``; arrange for what follows the others."""
        outcomes: list[Outcome | None] = []
        for report in reports:
            if isinstance(report, Completed):
                outcomes.append(self._on_completed(report))
            elif isinstance(report, Lost):
                outcomes.append(self._on_worker_lost(report))
            elif isinstance(report, Told):
                self._parts.publisher.publish(report.kind, **report.facts)
            else:
                self._on_returned(report.attempts)
        return [outcome for outcome in outcomes if outcome]

    def _on_completed(self, answer: Completed) -> Outcome | None:
        attempt, failure = answer.attempt, answer.failure
        out = self._mark_returned(attempt)
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
        elif failure.code == LIMIT_MEMORY and not attempt.exclusive:
            self._retry_exclusively(attempt, failure)
        elif failure.code == THROTTLED:
            self._retry_throttled(attempt, failure)
        elif failure.retryable and attempt.number < self._parts.policy.attempts:
            self._retry(attempt, failure)
        else:
            return Failed(task=attempt.task, failure=failure, attempts=attempt.number, seconds=answer.seconds)
        return None

    def _retry_exclusively(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again when nothing else runs; it never ran into trouble, so the try does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task])
        if not self.reason:
            self._parts.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            self._backlog.exclusive.append(attempt)

    def _retry_throttled(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again later; that a storage is overloaded says nothing about the task, so the try does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task])
        self._fatal = self._throttling.end(failure)
        if self._fatal or self.reason:
            return
        delay = self._throttling.pause()
        self._parts.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        self._backlog.delay(attempt, self._parts.clock.elapsed() + delay)

    def _on_worker_lost(self, loss: Lost) -> Outcome | None:
        """Try a culprit once more alone in a fresh worker: memory that a neighbour corrupted may have killed it."""
        attempt, failure = loss.attempt, loss.failure
        task = attempt.task if attempt else None
        self._parts.publisher.publish(
            WorkerLost, pid=loss.pid, signal=failure.signal, reason=failure.message, task=task, node=failure.node
        )
        if attempt is None:
            return None
        self._mark_returned(attempt)
        if attempt.alone or attempt.number >= self._parts.policy.attempts:
            return Failed(task=attempt.task, failure=failure, attempts=attempt.number)
        if not self.reason:
            again = Attempt(attempt.task, attempt.number + 1, alone=True)
            self._parts.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            if failure.code == "out-of-memory":
                self._backlog.exclusive.append(again)
            else:
                self._backlog.requeue_first([again])
        return None

    def _retry(self, attempt: Attempt, failure: Failure) -> None:
        if self.reason:
            return
        delay = self._parts.policy.pause(attempt.number, self._parts.chance)
        self._parts.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        again = self._parts.admission.attempt(attempt.task, attempt.number + 1)
        self._backlog.delay(again, self._parts.clock.elapsed() + delay)

    def _on_returned(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._mark_returned(attempt)
            self._in_flight.pop(attempt.task.key, None)
        self._parts.ledger.release([attempt.task for attempt in attempts])
        if not self.reason:
            self._backlog.requeue_first(attempts)

    def _mark_returned(self, attempt: Attempt) -> float:
        """Note that nothing runs for ``attempt`` any more, and return for how many seconds it was away.

        Its task stays in flight for the ledger until it has an outcome.
        """
        self._outstanding -= 1
        if self._exclusive == attempt.task.key:
            self._exclusive = None
        now = self._parts.clock.elapsed()
        return now - self._sent.pop(attempt.task.key, now)

    def _publish_worker_status(self) -> None:
        """Let the observers see, once a second, what the workers are at."""
        now = self._parts.clock.elapsed()
        if now >= self._next_status:
            self._next_status = now + _STATUS_INTERVAL
            self._parts.publisher.publish(WorkersSeen, memory=resident_memory(), posts=self._parts.executor.posts())

    def _commit_outcomes(self) -> Sequence[Outcome]:
        """Make final what has ended: the ledger first, then everybody else."""
        outcomes = self._ended.take()
        if not outcomes:
            return outcomes
        self._parts.ledger.finish(outcomes)
        for outcome in outcomes:
            self._in_flight.pop(outcome.task.key, None)
            self._counts[str(outcome.__struct_config__.tag)] += 1
            self._parts.publisher.publish(TaskFinished, outcome=outcome)
        return outcomes
