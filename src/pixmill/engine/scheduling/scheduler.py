"""The main loop of a run: from a stream of tasks to exactly one final outcome for each.

Each iteration reads ahead, submits as many attempts as the executor accepts, waits for events, and handles them. The ledger records
everything before anything else learns of it, several outcomes at a time.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.events import AttemptStarted, SourceExhausted, TaskFinished, TaskRetried, WorkerLost, WorkersSeen
from pixmill.engine.executor import Completed, ExecutorEvent, Lost, Notification
from pixmill.engine.failures import DEFERRED, LIMIT_MEMORY, SKIPPED, TIMEOUT
from pixmill.engine.ledger import FINISHED
from pixmill.engine.resources.memory import resident_memory
from pixmill.engine.scheduling.backlog import Backlog
from pixmill.engine.scheduling.commit_batch import CommitBatch
from pixmill.engine.scheduling.components import Components
from pixmill.engine.scheduling.deferrals import Deferrals
from pixmill.engine.scheduling.failure_limit import FailureLimit
from pixmill.engine.scheduling.next_pass import NextPass
from pixmill.engine.scheduling.store_breaker import SICK_STORE, StoreBreaker
from pixmill.engine.scheduling.task_reader import TaskReader
from pixmill.engine.scheduling.token_bucket import TokenBucket
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Outcome, Skipped, Task

_MAX_WAIT = 0.25  # seconds that one wait for events may take
_STATUS_INTERVAL = 1.0
_IDLE_POLL = 0.05  # seconds between two reads of an idle source: the delay with which a new task may be noticed


class Scheduler:
    """Runs the tasks of one stream to completion. Iterate for the outcomes.

    ``reason`` is empty until a stop is requested or all tasks have finished.
    """

    def __init__(self, tasks: Iterable[Task | None], components: Components) -> None:
        """Read nothing yet."""
        self._components = components
        self._reader = TaskReader(tasks, components.clock)
        self._backlog = Backlog()
        self._commit_batch = CommitBatch(components.clock)
        self._deferrals = Deferrals(components.resolve)
        self._next_pass = NextPass(components.renewal)
        self._breaker = StoreBreaker(
            components.publisher,
            components.clock,
            components.rng,
            timeout=components.policy.store_timeout,
            hold=components.hold,
            on_change=components.status_file.set_held if components.status_file else lambda since: None,  # noqa: ARG005  # no file
        )
        self._in_flight: dict[bytes, Task] = {}
        self._submitted_at: dict[bytes, float] = {}
        self._next_status = components.clock.elapsed() + _STATUS_INTERVAL
        self._outstanding = 0
        self._exclusive: bytes | None = None
        self._bucket = TokenBucket(components.policy.max_rate, components.clock) if components.policy.max_rate else None
        self._counts = {"done": 0, "skipped": 0, "failed": 0}
        self._found = 0
        self._fatal: Failure | None = None
        self._failure_limit = FailureLimit(components.policy.max_failures)
        self._limit_error: RunError | None = None
        self._deadline: float | None = None
        self._is_killed = False
        self.reason = ""

    @property
    def counts(self) -> Counts:
        """The outcomes of the tasks so far."""
        return Counts(**self._counts, pending=self._found - sum(self._counts.values()))

    def stop(self, reason: str) -> None:
        """Take no more tasks; let those in flight finish within the grace period. May be called from a signal handler."""
        self.reason = self.reason or reason
        if self._components.status_file:
            self._components.status_file.set_stopping()

    def kill(self) -> None:
        """End at once. May be called from a signal handler."""
        self.stop("killed")
        self._is_killed = True

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's final outcome; it is in the ledger by then. ``RunError`` when the environment stops the run."""
        while not self._is_over():
            unchanged = self._read_tasks()
            self._dispatch()
            events = self._components.executor.wait(self._wait_timeout())
            self._show_life()
            self._publish_worker_status()
            self._commit_batch.add(self._on_events(events))
            self._continue_deferred()
            for task in unchanged:
                yield Skipped(task=task)
            if self._commit_batch.is_due() or not self._outstanding or self._fatal:
                yield from self._commit_outcomes()
            if self._fatal:
                raise RunError(self._fatal.message, hint=self._fatal.hint, code=self._fatal.code)
        yield from self._commit_outcomes()
        if self._limit_error:
            raise self._limit_error
        self.reason = self.reason or FINISHED

    def release(self) -> None:
        """Record the outcomes so far, and release the attempts that were started and have none.

        Call it when nothing is running.
        """
        self._commit_outcomes()
        tasks = [*self._in_flight.values(), *(attempt.task for attempt in self._backlog.clear())]
        self._in_flight.clear()
        if tasks:
            self._components.ledger.release_attempts(tasks)

    def _is_over(self) -> bool:
        if not self.reason:
            return self._is_pass_over and not self._next_pass
        if self._deadline is None:
            self._drain()
        return self._is_killed or not self._outstanding or self._components.clock.elapsed() >= (self._deadline or 0.0)

    @property
    def _is_pass_over(self) -> bool:
        return self._reader.is_exhausted and not self._outstanding and not self._backlog

    def _drain(self) -> None:
        self._deadline = self._components.clock.elapsed() + self._components.policy.grace
        waiting = [attempt.task for attempt in self._backlog.clear()]
        if waiting:
            self._components.ledger.release_attempts(waiting)
        self._components.executor.cancel_pending()

    def _read_tasks(self) -> Sequence[Task]:
        """Read ahead up to the window; return the tasks that are unchanged, of which the ledger learns nothing new."""
        if self._next_pass and self._is_pass_over:
            self._reader = TaskReader(self._next_pass.begin(), self._components.clock)
        free = self._components.policy.window - self._backlog.unsuspected
        if self.reason or self._reader.is_exhausted or free <= 0:
            return ()
        tasks = self._reader.take(free)
        decisions = self._components.admission.decide(tasks)
        if self._next_pass.is_first:
            self._found += len(tasks)
            self._counts["skipped"] += len(decisions.unchanged)
            self._failure_limit.add_unchanged(len(decisions.unchanged))
            self._components.publisher.publish_found(tasks, decisions.unchanged)
            if self._reader.is_exhausted:
                self._components.publisher.publish(SourceExhausted, found=self._found)
        else:
            self._commit_batch.add([Skipped(task=task) for task in decisions.unchanged])
            self._commit_batch.add(self._next_pass.take_final())
        self._commit_batch.add(decisions.outcomes)
        self._backlog.append(decisions.attempts)
        self._backlog.suspects.add(decisions.suspects)
        return decisions.unchanged if self._next_pass.is_first else ()

    def _dispatch(self) -> None:
        """Submit what the executor accepts. An exclusive attempt waits until nothing runs, and all others wait for its end."""
        if self.reason or self._exclusive:
            return
        self._backlog.promote_due(self._components.clock.elapsed())
        allowance = self._breaker.allowance(self._outstanding)
        if allowance == 0:
            return
        if self._backlog.suspects and self._is_time_for_suspects():
            self._backlog.release_suspects(alone=not self._components.executor.has_nodes)
        if self._backlog.exclusive:
            if not self._outstanding and self._components.executor.capacity():
                exclusive = self._backlog.exclusive.popleft()
                self._exclusive = exclusive.task.key
                self._submit([self._components.memory.with_all(exclusive)])
            return
        wanted = min(self._components.executor.capacity(), self._backlog.ready, allowance or self._backlog.ready)
        if self._bucket and wanted:
            wanted = self._bucket.take(wanted)
        if wanted:
            self._submit(self._components.memory.with_share(self._backlog.take(wanted)))

    def _is_time_for_suspects(self) -> bool:
        """Return whether there is nothing else to do. The nodes of a cluster are not kept waiting until the last task has ended."""
        if self._backlog.unsuspected or not (self._reader.is_exhausted or self._reader.is_quiet):
            return False
        return not self._outstanding or self._components.executor.has_nodes

    def _submit(self, attempts: Sequence[Attempt]) -> None:
        begun = self._deferrals.begin(attempts)
        if begun:
            self._components.ledger.start_attempts(begun)
        self._outstanding += len(attempts)
        now = self._components.clock.elapsed()
        for attempt in attempts:
            self._in_flight[attempt.task.key] = attempt.task
            self._submitted_at[attempt.task.key] = now
        for attempt in begun:
            self._components.publisher.publish(AttemptStarted, attempt=attempt)
        self._components.executor.submit(attempts)

    def _wait_timeout(self) -> float:
        """Return the number of seconds to wait for events."""
        can_read = not self.reason and not self._reader.is_exhausted and self._backlog.unsuspected < self._components.policy.window
        if can_read and not self._reader.is_idle:
            return 0.0
        now = self._components.clock.elapsed()
        pauses = [_IDLE_POLL if can_read else _MAX_WAIT]
        due = self._backlog.next_due()
        if due is not None:
            pauses.append(due - now)
        if self._bucket and self._backlog.ready and not self.reason:
            pauses.append(self._bucket.pause())
        commit_pause = self._commit_batch.pause()
        if commit_pause is not None:
            pauses.append(commit_pause)
        if self._deadline is not None:
            pauses.append(self._deadline - now)
        return max(0.0, min(pauses))

    def _on_events(self, events: Iterable[ExecutorEvent]) -> list[Outcome]:
        """Return the final outcomes of ``events``; schedule retries for the others."""
        outcomes: list[Outcome | None] = []
        for event in events:
            if isinstance(event, Completed):
                outcomes.append(self._on_completed(event))
            elif isinstance(event, Lost):
                outcomes.append(self._on_worker_lost(event))
            elif isinstance(event, Notification):
                self._components.publisher.publish(event.kind, **event.fields)
            else:
                self._on_returned(event.attempts)
        return [outcome for outcome in outcomes if outcome]

    def _continue_deferred(self) -> None:
        """Queue the deferred attempts again, with what the coordinator has decided."""
        attempts = [] if self.reason else self._deferrals.take()
        self._backlog.exclusive.extendleft(attempt for attempt in attempts if attempt.exclusive)
        self._backlog.requeue_first(attempt for attempt in attempts if not attempt.exclusive)
        if self._bucket:
            self._bucket.put_back(len(attempts))

    def _on_completed(self, completed: Completed) -> Outcome | None:
        attempt, failure = completed.attempt, completed.failure
        submitted_for = self._mark_returned(attempt)
        self._breaker.on_result(completed)
        if failure is None:
            return Done(
                task=attempt.task,
                result=completed.result,
                attempts=attempt.number,
                seconds=completed.seconds,
                timings={"queue": max(0.0, submitted_for - completed.seconds), **completed.timings},
                measures=completed.measures,
                node=completed.node,
            )
        if failure.code == DEFERRED:
            self._deferrals.add(attempt, completed.result)
            return None
        if failure.code == SKIPPED:
            return Skipped(task=attempt.task, reason=failure.message, result=completed.result)
        if failure.fatal:
            self._fatal = failure
        elif failure.code == LIMIT_MEMORY and not attempt.exclusive:
            self._retry_exclusively(attempt, failure)
        elif failure.code in SICK_STORE:
            self._retry_uncounted(attempt, failure)
        elif failure.retryable and attempt.number < self._components.policy.attempts:
            self._retry(attempt, failure)
        else:
            final = msgspec.structs.replace(failure, retry_after=0.0)
            failed = Failed(task=attempt.task, failure=final, attempts=attempt.number, seconds=completed.seconds)
            return None if self._is_set_aside(attempt, failed) else failed
        return None

    def _is_set_aside(self, attempt: Attempt, failed: Failed) -> bool:
        """Leave ``failed`` to the next pass if its data have changed; until then its task is in flight for the ledger."""
        if self.reason or not self._next_pass.takes(failed):
            return False
        self._components.publisher.publish(TaskRetried, attempt=attempt, failure=failed.failure, delay=0.0)
        return True

    def _retry_exclusively(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again when nothing else runs; this attempt did not really fail, so it does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._components.ledger.release_attempts([attempt.task])
        if not self.reason:
            self._components.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            self._backlog.exclusive.append(attempt)

    def _retry_uncounted(self, attempt: Attempt, failure: Failure) -> None:
        """Try it again later; a sick store says nothing about the task, so this attempt does not count."""
        self._in_flight.pop(attempt.task.key, None)
        self._components.ledger.release_attempts([attempt.task])
        # Where the handler says when to try again, other tasks may ask other stores meanwhile.
        delay, self._fatal = (failure.retry_after, None) if failure.retry_after else self._breaker.refuse(failure)
        if self._fatal or self.reason:
            return
        self._components.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        self._backlog.delay(attempt, self._components.clock.elapsed() + delay)

    def _on_worker_lost(self, loss: Lost) -> Outcome | None:
        """Retry the culprit once in a fresh, isolated worker: memory corrupted by an earlier task may have killed it."""
        attempt, failure = loss.attempt, loss.failure
        task = attempt.task if attempt else None
        self._components.publisher.publish(
            WorkerLost, pid=loss.pid, signal=failure.signal, reason=failure.message, task=task, node=failure.node
        )
        if attempt is None:
            return None
        self._mark_returned(attempt)
        if failure.code == TIMEOUT and failure.stage in SICK_STORE:  # the time was spent waiting for a store
            self._retry_uncounted(attempt, msgspec.structs.replace(failure, code=failure.stage))
            return None
        if attempt.isolated or attempt.number >= self._components.policy.attempts:
            return Failed(task=attempt.task, failure=failure, attempts=attempt.number)
        if not self.reason:
            retry = msgspec.structs.replace(attempt, number=attempt.number + 1, isolated=True)
            self._components.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
            if failure.code == "out-of-memory" or attempt.exclusive:
                self._backlog.exclusive.append(retry)
            else:
                self._backlog.requeue_first([retry])
        return None

    def _retry(self, attempt: Attempt, failure: Failure) -> None:
        if self.reason:
            return
        delay = max(self._components.policy.pause(attempt.number, self._components.rng), failure.retry_after)
        self._components.publisher.publish(TaskRetried, attempt=attempt, failure=failure, delay=delay)
        retry = self._components.admission.next_attempt(attempt, alone=not failure.retry_after)
        self._backlog.delay(retry, self._components.clock.elapsed() + delay)

    def _on_returned(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._mark_returned(attempt)
            self._in_flight.pop(attempt.task.key, None)
        self._components.ledger.release_attempts([attempt.task for attempt in attempts])
        if not self.reason:
            self._backlog.requeue_first(attempts)

    def _mark_returned(self, attempt: Attempt) -> float:
        """Note that ``attempt`` no longer runs, and return the seconds since it was submitted.

        Its task stays in flight for the ledger until it has an outcome.
        """
        self._outstanding -= 1
        if self._exclusive == attempt.task.key:
            self._exclusive = None
        now = self._components.clock.elapsed()
        return now - self._submitted_at.pop(attempt.task.key, now)

    def _show_life(self) -> None:
        """Note the time in the status file, so that the next run knows when this one died."""
        if self._components.status_file:
            self._components.status_file.set_active(self._components.clock.elapsed())

    def _publish_worker_status(self) -> None:
        """Publish once a second what the workers are doing."""
        now = self._components.clock.elapsed()
        if now >= self._next_status:
            self._next_status = now + _STATUS_INTERVAL
            self._components.publisher.publish(
                WorkersSeen, memory=resident_memory(), posts=self._components.executor.worker_statuses()
            )

    def _commit_outcomes(self) -> Sequence[Outcome]:
        """Make the batch of outcomes final: record them in the ledger first, then publish them."""
        outcomes = self._commit_batch.take()
        if not outcomes:
            return outcomes
        self._components.ledger.record_outcomes(outcomes)
        for outcome in outcomes:
            self._in_flight.pop(outcome.task.key, None)
            self._counts[str(outcome.__struct_config__.tag)] += 1
            self._failure_limit.add(outcome)
            self._components.publisher.publish(TaskFinished, outcome=outcome)
        self._stop_at_failure_limit()
        return outcomes

    def _stop_at_failure_limit(self) -> None:
        """Stop if too many tasks have failed; those in flight finish, and then the error is raised."""
        if not self.reason:
            self._limit_error = self._failure_limit.error(self._found if self._reader.is_exhausted else None)
            if self._limit_error:
                self.stop(self._limit_error.message)
