"""The workers that live: births, deaths, deadlines. What is done with attempts is ``pool``'s business."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.failures import death, overdue, stalled
from pixmill.engine.forkserver.client import BORN, ENDED, Nursery, Report
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Message
from pixmill.engine.pool.worker_handle import Member
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.task import Attempt, Failure

_FORK_AGAIN = 1.0
_LONGEST_REST = 1.0
_GOODBYE = 5.0
_LAST_WORDS = 1.0
_SPARE_TIME = 5.0  # of the processor: the deadline, which is a worker's first, must come well before


class Death(msgspec.Struct, frozen=True):
    """A worker has ended, of ``failure`` unless it was sent home.

    ``culprit`` is what it was at; ``innocents`` had not begun, or were computed and not yet settled.
    """

    pid: int
    failure: Failure | None
    culprit: Attempt | None
    innocents: tuple[Attempt, ...]


class Crew:
    """Keeps ``size`` workers alive, kills the ones that are overdue, and buries the dead.

    ``on_messages`` hears what members say; it is called within ``turn``.
    """

    def __init__(
        self, handler: HandlerRef, *, size: int, timeout: float, on_messages: Callable[[Member, list[Message]], None]
    ) -> None:
        """Start the nursery and ask for all workers; neither is waited for. ``RunError`` when no process can be started."""
        self._handler = handler
        self._timeout = timeout
        self._on_messages = on_messages
        self._members: dict[int, Member] = {}
        self._born = 0
        self._size = size
        self._most_strikes = size + 3
        self._strikes = 0
        self._not_before = 0.0
        self._selector = selectors.DefaultSelector()
        self._deaths: list[Death] = []
        self._complaint: Failure | None = None
        self._nursery = self._open_nursery()
        try:
            self.recruit()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Member]:
        """Yield the living members."""
        return iter(self._members.values())

    def recruit(self) -> bool:
        """Replace those who have gone; return whether somebody came. ``RunError`` when they die as fast as they start."""
        if len(self._members) >= self._size:
            return False
        if self._strikes >= self._most_strikes:
            self._give_up()
        now = time.monotonic()
        if now < self._not_before:
            return False
        while len(self._members) < self._size and self._beget(now):
            pass
        return True

    def turn(self, pause: float) -> list[Death]:
        """Wait up to ``pause`` seconds for something to happen and return who has died."""
        for key, events in self._selector.select(pause):
            if key.data is None:
                self._hear_nursery()
            elif key.data.number in self._members:
                self._serve(key.data, events)
        deaths, self._deaths = self._deaths, []
        return deaths

    def expect_writing(self, member: Member) -> None:
        """Watch for room in the member's pipe while there is something to write."""
        if member.pipe in self._selector.get_map():
            writing = selectors.EVENT_WRITE if member.is_sending else 0
            self._selector.modify(member.pipe, selectors.EVENT_READ | writing, member)

    def enforce_deadlines(self, now: float, pause: float) -> None:
        """Kill who is overdue. ``pause`` is how long the whole run has stood still since the last call, up to ``now``."""
        for member in self._members.values():
            elapsed = member.elapsed(now, pause)
            if member.verdict:
                continue
            idle = now - member.touched
            is_leaving = member.is_dismissed or member.has_hung_up
            if elapsed is not None and elapsed > self._timeout:
                self._kill(member, overdue(self._timeout, stage=member.beacon.sign().stage))
            elif elapsed is None and (is_leaving or member.in_flight) and idle > (_GOODBYE if is_leaving else self._timeout):
                self._kill(member, stalled(idle))

    def _kill(self, member: Member, verdict: Failure) -> None:
        member.verdict = verdict
        with suppress(OSError):  # the nursery has just died and its workers with it
            self._nursery.kill(member.number)

    def note_progress(self) -> None:
        """Forget the strikes: a worker has answered."""
        self._strikes = 0
        self._complaint = None

    def note_complaint(self, failure: Failure) -> None:
        """Remember why a worker could not start."""
        self._complaint = failure

    def close(self) -> None:
        """Kill and reap everybody."""
        is_orderly = self._nursery.close()
        for member in self._members.values():
            if not is_orderly:
                _see_off(member)
            member.close()
        self._members.clear()
        self._selector.close()

    def _open_nursery(self) -> Nursery:
        nursery = Nursery(self._handler, processor_time=self._timeout * max(2, usable_cores()) + _SPARE_TIME)
        self._selector.register(nursery.pipe, selectors.EVENT_READ, None)
        return nursery

    def _beget(self, now: float) -> bool:
        self._born += 1
        try:
            member = Member.beget(self._nursery, self._born, now)
        except (BrokenPipeError, ConnectionResetError):
            return False  # the nursery is gone: the next turn hears of it
        except OSError as error:
            self._fall_short(error.strerror or str(error))
            return False
        self._members[member.number] = member
        self._selector.register(member.pipe, selectors.EVENT_READ, member)
        return True

    def _serve(self, member: Member, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            member.send()
            self.expect_writing(member)
        if events & selectors.EVENT_READ:
            self._on_messages(member, member.receive())
            if member.has_hung_up:
                self._stop_listening(member)
                member.touched = time.monotonic()

    def _hear_nursery(self) -> None:
        try:
            for report in self._nursery.reports():
                self._note(report)
        except ConnectionResetError:
            self._strikes += 1
            self._lose_nursery()

    def _note(self, report: Report) -> None:
        member = self._members.get(report.number)
        if member is None:
            return
        if report.kind == BORN:
            member.pid = report.value
            return
        self._on_messages(member, member.last_words())
        if report.kind == ENDED:
            self._bury(member, self._cause(member, report.value, report.memory))
        else:
            self._bury(member, None)
            self._fall_short(os.strerror(report.value))

    def _cause(self, member: Member, status: int, memory: int) -> Failure | None:
        if member.verdict:
            return msgspec.structs.replace(member.verdict, peak_rss=memory, trace=member.beacon.log())
        if member.is_dismissed and not member.in_flight:
            return None
        return death(status, stage=member.beacon.sign().stage, peak_rss=memory, log=member.beacon.log())

    def _bury(self, member: Member, failure: Failure | None) -> None:
        del self._members[member.number]
        self._stop_listening(member)
        current = member.current()
        if current:
            del member.in_flight[current[0]]
        elif failure:
            self._strike(failure)
        self._deaths.append(Death(member.pid, failure, current[1] if current else None, tuple(member.in_flight.values())))
        member.close()

    def _stop_listening(self, member: Member) -> None:
        with suppress(KeyError):  # its end was seen before its death was heard of
            self._selector.unregister(member.pipe)

    def _strike(self, failure: Failure) -> None:
        """Count a death without a culprit; rest longer after each, so that nothing spins."""
        self._strikes += 1
        self._complaint = self._complaint or failure
        self._not_before = time.monotonic() + min(_LONGEST_REST, 0.005 * 2**self._strikes)

    def _fall_short(self, reason: str) -> None:
        """No worker could be forked: go on with those there are, and try again later."""
        self._not_before = time.monotonic() + _FORK_AGAIN
        if not self._members:
            raise RunError(f"no worker process can be started: {reason}", hint="is there a limit on processes or on open files?")

    def _lose_nursery(self) -> None:
        """Bury all, for their parent has died and taken them along, and start anew."""
        failure = Failure(code="crash", stage="", message="the process that starts the workers died", trace=self._nursery.log())
        self._complaint = self._complaint or failure
        self._selector.unregister(self._nursery.pipe)
        self._nursery.close()
        for member in list(self._members.values()):
            self._on_messages(member, _see_off(member))
            self._bury(member, failure if member.current() else None)
        if self._strikes >= self._most_strikes:
            self._give_up()
        self._nursery = self._open_nursery()

    def _give_up(self) -> None:
        why = self._complaint or Failure(code="crash", stage="", message="no reason is known")
        last_line = why.trace.strip().splitlines()[-1:] if why.stage != "load" else []
        raise RunError(
            "; ".join([f"the workers die as fast as they start: {why.message}", *last_line]),
            hint="run the handler in a plain Python process to see the whole error",
        )


def _see_off(member: Member) -> list[Message]:
    """Return the last messages of a worker whose parent died.

    It dies with its parent where the system can do that, and is killed where it cannot; when we are PID 1 it is ours to reap.
    """
    messages = member.last_words(patience=_LAST_WORDS)
    if member.pid and not member.has_hung_up:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member.pid, signal.SIGKILL)
    if member.pid:
        with suppress(ChildProcessError):
            os.waitpid(member.pid, 0)
    return messages
