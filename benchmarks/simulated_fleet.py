"""Nodes that exist only as events in a queue, behind the interface of every executor."""

import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import msgspec

from pixmill.engine.clock import Clock
from pixmill.engine.executor import Completed, Executor, ExecutorEvent, Returned
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Failure

AHEAD = 2  # attempts that a node holds for each of its workers, one of them waiting
NEVER = float("inf")
POISONED = Failure(code="truncated", stage="decode", message="it ends too early")


class SimulatedClock(Clock):
    """Moves only when told to, in seconds."""

    def __init__(self) -> None:
        """Start at nought."""
        self.time = 0.0

    def now(self) -> float:
        """Return the seconds since the simulation began."""
        return self.time

    def elapsed(self) -> float:
        """Return the same."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.time += seconds


class Misfortune(msgspec.Struct, frozen=True, kw_only=True):
    """What befalls nodes, in seconds; means of exponential distributions but for ``reboot`` and ``lease``.

    A node dies after ``lifetime`` and is back after ``reboot``. It is cut off from the coordinator every ``cut_off_every`` for
    ``cut_off_for``, and works on. One in ``straggling`` computes at a fifth of the speed. A node that has been silent for
    ``lease`` is given up, and what it was given is leased anew.
    """

    lifetime: float = NEVER
    reboot: float = 120.0
    cut_off_every: float = NEVER
    cut_off_for: float = 20.0
    straggling: float = 0.0
    lease: float = 15.0


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster of ``nodes`` with ``workers`` each. A task takes ``mean`` seconds of a worker, ``cost`` of the coordinator."""

    nodes: int
    workers: int
    mean: float
    cost: float


class Node:
    """One machine. ``life`` counts its boots: what was begun in an earlier one never ends."""

    def __init__(self, slowness: float) -> None:
        """Boot."""
        self.slowness = slowness
        self.life = 0
        self.is_up = True
        self.is_reachable = True
        self.term = 0  # of its lease; an answer of an earlier term is late
        self.is_listed = True
        self.busy = 0
        self.waiting: deque[Attempt] = deque()
        self.leased: dict[bytes, Attempt] = {}
        self.unsaid: list[tuple[int, Attempt, float]] = []


class SimulatedCluster(Executor):
    """Runs attempts on simulated nodes. ``tally`` counts what happened."""

    def __init__(self, shape: Shape, misfortune: Misfortune, *, clock: SimulatedClock, chance: random.Random) -> None:
        """Boot every node."""
        self._size, self._clock, self._mean, self._cost = shape.workers, clock, shape.mean, shape.cost
        self._misfortune, self._chance = misfortune, chance
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._reports: list[ExecutorEvent] = []
        self._nodes = [Node(5.0 if chance.random() < misfortune.straggling else 1.0) for _ in range(shape.nodes)]
        self._open = deque(self._nodes)
        self._lengths: dict[bytes, float] = {}
        self.tally = dict.fromkeys(("deaths", "cut_offs", "leased_anew", "late_answers"), 0)
        self.tally["stragglers"] = sum(node.slowness > 1 for node in self._nodes)
        for node in self._nodes:
            self._foresee(node)

    @property
    def work(self) -> float:
        """Return the seconds that all tasks until now take on workers at full speed, each counted once."""
        return sum(self._lengths.values())

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Nothing to bring up."""

    @property
    def workers(self) -> int:
        """Return the number of workers."""
        return self._size * len(self._nodes)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return sum(self._free(node) for node in self._open)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Give each attempt to the node whose turn it is; those that have no room leave the circle until they answer."""
        self._clock.sleep(self._cost * len(attempts))
        for attempt in attempts:
            while not self._free(self._open[0]):
                self._open.popleft().is_listed = False
            node = self._open[0]
            self._open.rotate(-1)
            node.leased[attempt.task.key] = attempt
            node.waiting.append(attempt)
            self._advance(node)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Let time pass until something is reported, or ``timeout`` is over."""
        end = self._clock.time + (NEVER if timeout is None else timeout)
        while self._events and (self._events[0][0] <= self._clock.time or (not self._reports and self._events[0][0] <= end)):
            at, _, happen = heapq.heappop(self._events)
            self._clock.time = max(self._clock.time, at)
            happen()
        if not self._reports and end < NEVER:
            self._clock.time = max(self._clock.time, end)
        reports, self._reports = self._reports, []
        return reports

    def cancel_pending(self) -> None:
        """Nobody interrupts a simulation."""

    def close(self) -> None:
        """Nothing is left of it."""

    def _at(self, delay: float, happen: Callable[[], None]) -> None:
        if delay < NEVER:
            heapq.heappush(self._events, (self._clock.time + delay, next(self._order), happen))

    def _drawn(self, mean: float) -> float:
        return self._chance.expovariate(1 / mean) if mean < NEVER else NEVER

    def _free(self, node: Node) -> int:
        return AHEAD * self._size - len(node.leased) if node.is_reachable and node.is_up else 0

    def _list(self, node: Node) -> None:
        if not node.is_listed:
            node.is_listed = True
            self._open.append(node)

    def _foresee(self, node: Node) -> None:
        """Draw when this life of ``node`` ends, and when it is cut off next."""
        life = node.life
        self._at(self._drawn(self._misfortune.lifetime), lambda: self._die(node, life))
        self._at(self._drawn(self._misfortune.cut_off_every), lambda: self._cut_off(node, life))

    def _advance(self, node: Node) -> None:
        """Let idle workers of ``node`` begin what waits there."""
        while node.waiting and node.busy < self._size:
            attempt = node.waiting.popleft()
            node.busy += 1
            taken = self._seconds(attempt.task.key) * node.slowness
            self._at(taken, partial(self._end, node, (node.life, node.term), attempt, taken))

    def _seconds(self, key: bytes) -> float:
        """Return how long a worker at full speed takes for a task, always the same for one task."""
        seconds = self._lengths.get(key)
        if seconds is None:
            seconds = self._lengths[key] = self._mean * self._chance.lognormvariate(-0.125, 0.5)  # of mean 1: pictures differ
        return seconds

    def _end(self, node: Node, begun: tuple[int, int], attempt: Attempt, taken: float) -> None:
        life, term = begun
        if life != node.life:
            return
        node.busy -= 1
        if node.is_reachable:
            self._answer(node, term, attempt, taken)
        else:
            node.unsaid.append((term, attempt, taken))
        self._advance(node)

    def _answer(self, node: Node, term: int, attempt: Attempt, taken: float) -> None:
        if term != node.term or node.leased.pop(attempt.task.key, None) is None:
            self.tally["late_answers"] += 1
            return
        failure = POISONED if attempt.task.payload else None
        self._reports.append(Completed(attempt=attempt, failure=failure, seconds=taken))
        self._list(node)

    def _die(self, node: Node, life: int) -> None:
        if life != node.life or not node.is_up:
            return
        self.tally["deaths"] += 1
        node.life += 1
        node.is_up, node.busy = False, 0
        node.waiting.clear()
        node.unsaid.clear()
        self._fall_silent(node)
        self._at(self._misfortune.reboot, lambda: self._reboot(node))

    def _reboot(self, node: Node) -> None:
        node.is_up = node.is_reachable = True
        self._list(node)
        self._foresee(node)

    def _cut_off(self, node: Node, life: int) -> None:
        if life != node.life or not node.is_up:
            return
        self.tally["cut_offs"] += 1
        node.is_reachable = False
        self._fall_silent(node)
        self._at(self._drawn(self._misfortune.cut_off_for), lambda: self._reconnect(node, life))
        self._at(self._drawn(self._misfortune.cut_off_every), lambda: self._cut_off(node, life))

    def _reconnect(self, node: Node, life: int) -> None:
        if life != node.life:
            return
        node.is_reachable = True
        said, node.unsaid = node.unsaid, []
        for term, attempt, taken in said:
            self._answer(node, term, attempt, taken)
        self._list(node)

    def _fall_silent(self, node: Node) -> None:
        term = node.term
        self._at(self._misfortune.lease, lambda: self._give_up(node, term))

    def _give_up(self, node: Node, term: int) -> None:
        """Take back what a silent node was given; whatever it still says of it is late."""
        if node.term != term or (node.is_up and node.is_reachable):
            return
        node.term += 1
        self.tally["leased_anew"] += len(node.leased)
        if node.leased:
            self._reports.append(Returned(attempts=tuple(node.leased.values())))
        node.leased.clear()
        node.waiting.clear()
