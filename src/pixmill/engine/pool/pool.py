"""The local crew at work: attempts go in, reports come out, whatever becomes of the workers.

Every worker has a pipe of its own, so a death can disturb nobody else. A worker shows on its beacon what it is at: who is to
blame for a death is read off, not guessed.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence

from pixmill.engine.executor import Answered, Lost, Post, Report, Returned
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Answer, Broken, Declined, Message
from pixmill.engine.policy import Policy
from pixmill.engine.pool.supervisor import Crew, Death
from pixmill.engine.pool.worker_handle import Member
from pixmill.engine.task import Attempt

_TICK = 0.25
_BLINK = 0.002
_LONGEST_DOZE = 0.02
_OVERSLEPT = 2 * _TICK
_LOOK = 0.05
_STUCK_BEHIND = 0.02


class Pool:
    """Workers on this machine, as many as ``workers``. The methods are those of ``Executor``."""

    def __init__(self, handler: HandlerRef, policy: Policy, *, workers: int) -> None:
        """Bring the workers up; they load the handler while the caller goes on."""
        self._policy = policy
        self._loose: deque[Attempt] = deque()
        self._solo: deque[Attempt] = deque()
        self._reports: list[Report] = []
        self._is_recalling = False
        self._turned = self._looked = time.monotonic()
        self._pause = 0.0
        self._crew = Crew(handler, size=workers, timeout=policy.timeout, on_messages=self._hear)

    def room(self) -> int:
        """Return how many more attempts may be submitted now."""
        free = sum(member.free() for member in self._crew)
        return max(0, free - len(self._loose) - len(self._solo))

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts; one that is ``alone`` waits for a fresh worker."""
        self._is_recalling = False
        for attempt in attempts:
            (self._solo if attempt.alone else self._loose).append(attempt)
        self._place(time.monotonic())

    def wait(self, timeout: float | None) -> list[Report]:
        """Return what has happened, waiting for something to. ``RunError`` when workers die as fast as they start."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            pause = self._longest_pause(end)
            time.sleep(self._doze(pause))
            for death in self._crew.turn(pause):
                self._mourn(death)
            now = time.monotonic()
            self._look_after(now)
            if self._reports or (end is not None and now >= end):
                reports, self._reports = self._reports, []
                return reports

    def posts(self) -> tuple[Post, ...]:
        """Return what each worker is at, read off its beacon."""
        now = time.monotonic()
        return tuple(member.post(now) for member in self._crew)

    def recall(self) -> None:
        """Ask back what has not begun."""
        self._is_recalling = True
        self._hand_back([*self._loose, *self._solo])
        self._loose.clear()
        self._solo.clear()
        now = time.monotonic()
        for member in self._crew:
            if member.in_flight:
                member.recall(now)

    def close(self) -> None:
        """Kill and reap everybody."""
        self._crew.close()

    def _longest_pause(self, end: float | None) -> float:
        if self._reports:
            return 0.0
        pause = _BLINK if any(member.is_recalled for member in self._crew) else _TICK
        return pause if end is None else max(0.0, min(pause, end - time.monotonic()))

    def _doze(self, pause: float) -> float:
        """Return for how long nobody needs us: answers that come meanwhile cost one turn of the loop instead of one each."""
        reserve = min((member.reserve() for member in self._crew), default=0.0)
        return min(_LONGEST_DOZE, reserve / 3, pause)

    def _look_after(self, now: float) -> None:
        """Do what is due between two waits: take back, replace, retire, place, rebalance, enforce deadlines."""
        for member in self._crew:
            if member.is_recalled:
                self._hand_back(member.settle(now))
        if self._crew.recruit() or self._loose or self._solo:
            self._place(now)
        gap, self._turned = now - self._turned, now
        if gap > _OVERSLEPT:
            self._pause += gap - _TICK
        if now - self._looked > _LOOK:
            self._looked = now
            self._crew.enforce_deadlines(now, self._pause)
            self._pause = 0.0
            self._rebalance(now)
            for member in self._crew:
                self._retire_if_worn(member, now)

    def _hear(self, member: Member, messages: Iterable[Message]) -> None:
        now = time.monotonic()
        for message in messages:
            match message:
                case Answer():
                    self._take_answer(member, message, now)
                case Declined():
                    declined = member.in_flight.pop(message.number, None)
                    self._hand_back([declined] if declined else [])
                case Broken():
                    self._crew.note_complaint(message.failure)
                case _:
                    member.touched = now
        if member.is_retiring:
            member.retire(now)

    def _take_answer(self, member: Member, answer: Answer, now: float) -> None:
        attempt = member.answered(answer.number, answer.seconds, now)
        if attempt is None:
            return
        self._crew.note_progress()
        self._reports.append(Answered.by(answer, attempt=attempt))

    def _mourn(self, death: Death) -> None:
        self._hand_back(death.innocents)
        if death.failure:
            self._reports.append(Lost(pid=death.pid, failure=death.failure, attempt=death.culprit))

    def _hand_back(self, attempts: Sequence[Attempt]) -> None:
        """Find a new place for attempts that never began; the caller's, when it has recalled them."""
        if self._is_recalling and attempts:
            self._reports.append(Returned(attempts=tuple(attempts)))
        else:
            for attempt in attempts:
                (self._solo if attempt.alone else self._loose).append(attempt)

    def _place(self, now: float) -> None:
        """Give what waits to the members who have room: first the lonely ones, then the others in equal shares."""
        self._place_solo(now)
        hosts = sorted((member for member in self._crew if member.free()), key=lambda member: len(member.in_flight))
        while self._loose and hosts:
            member = hosts.pop(0)
            share = min(member.free(), -(-len(self._loose) // (len(hosts) + 1)))
            self._give(member, [self._loose.popleft() for _ in range(share)], now)

    def _place_solo(self, now: float) -> None:
        for member in [member for member in self._crew if member.is_fresh][: len(self._solo)]:
            member.is_exclusive = True
            self._give(member, [self._solo.popleft()], now)
        leaving = sum(member.is_retiring for member in self._crew)
        for member in sorted((member for member in self._crew if member.is_open), key=lambda member: len(member.in_flight)):
            if leaving >= len(self._solo):
                break
            self._retire(member, now)
            leaving += 1

    def _give(self, member: Member, attempts: Sequence[Attempt], now: float) -> None:
        member.give(attempts, now)
        if member.is_sending:
            self._crew.expect_writing(member)

    def _retire(self, member: Member, now: float) -> None:
        """Make place for a fresh worker; what the old one has not begun goes to others."""
        if member.in_flight:
            member.recall(now)
        member.retire(now)

    def _retire_if_worn(self, member: Member, now: float) -> None:
        is_old = 0 < self._policy.recycle_tasks <= member.given
        if member.is_open and (is_old or member.beacon.growth() > self._policy.recycle_growth):
            member.retire(now)

    def _rebalance(self, now: float) -> None:
        """When somebody has nothing to do, take back what is stuck behind a long task elsewhere."""
        if not any(member.is_open and not member.in_flight for member in self._crew):
            return
        for member in self._crew:
            is_stuck = len(member.in_flight) > 1 and now - member.beacon.sign().began > _STUCK_BEHIND
            if is_stuck and not member.is_recalled and member.current():
                member.recall(now)
