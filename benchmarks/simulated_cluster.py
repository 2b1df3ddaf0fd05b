"""A simulated cluster, whose nodes exist only as events in a queue, with the interface of an executor."""

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

ATTEMPTS_PER_WORKER = 2  # that a node holds, one of them waiting
NEVER = float("inf")
POISONED = Failure(code="truncated", stage="decode", message="it ends too early")


class SimulatedClock(Clock):
    """Advances only in ``sleep``, in seconds."""

    def __init__(self) -> None:
        """Start at zero."""
        self.time = 0.0

    def now(self) -> float:
        """Return the seconds since the simulation started."""
        return self.time

    def elapsed(self) -> float:
        """Return the seconds since the simulation started."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.time += seconds


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of nodes, in seconds; means of exponential distributions except for ``reboot`` and ``lease``.

    A node dies after ``lifetime`` and is back after ``reboot``. It is cut off from the coordinator every ``cut_off_every`` for
    ``cut_off_for``, and keeps working. A share ``straggling`` of the nodes computes at a fifth of the speed. A node that has been
    silent for ``lease`` is declared lost, and its attempts are leased again.
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
    """One machine. ``life`` counts its boots: attempts that started in an earlier life never end."""

    def __init__(self, slowness: float) -> None:
        """Boot the machine."""
        self.slowness = slowness
        self.life = 0
        self.is_up = True
        self.is_reachable = True
        self.term = 0  # of its lease; a result of an earlier term is late
        self.is_in_rotation = True
        self.busy = 0
        self.waiting: deque[Attempt] = deque()
        self.leased: dict[bytes, Attempt] = {}
        self.undelivered: list[tuple[int, Attempt, float]] = []


class SimulatedCluster(Executor):
    """Runs attempts on simulated nodes. ``tally`` counts the faults and their effects."""

    def __init__(self, shape: Shape, faults: Faults, *, clock: SimulatedClock, rng: random.Random) -> None:
        """Boot every node."""
        self._size, self._clock, self._mean, self._cost = shape.workers, clock, shape.mean, shape.cost
        self._faults, self._rng = faults, rng
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._results: list[ExecutorEvent] = []
        self._nodes = [Node(5.0 if rng.random() < faults.straggling else 1.0) for _ in range(shape.nodes)]
        self._rotation = deque(self._nodes)
        self._task_seconds: dict[bytes, float] = {}
        self.tally = dict.fromkeys(("deaths", "cut_offs", "leased_anew", "late_answers"), 0)
        self.tally["stragglers"] = sum(node.slowness > 1 for node in self._nodes)
        for node in self._nodes:
            self._schedule_faults(node)

    @property
    def work(self) -> float:
        """Return the seconds that all tasks so far take on workers at full speed, each counted once."""
        return sum(self._task_seconds.values())

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Do nothing: there are no workers to start."""

    @property
    def workers(self) -> int:
        """Return the number of workers."""
        return self._size * len(self._nodes)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return sum(self._free(node) for node in self._rotation)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Send each attempt to the next node in turn; full nodes leave the rotation until they answer."""
        self._clock.sleep(self._cost * len(attempts))
        for attempt in attempts:
            while not self._free(self._rotation[0]):
                self._rotation.popleft().is_in_rotation = False
            node = self._rotation[0]
            self._rotation.rotate(-1)
            node.leased[attempt.task.key] = attempt
            node.waiting.append(attempt)
            self._advance(node)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Advance the clock until there is a result, or ``timeout`` is over."""
        end = self._clock.time + (NEVER if timeout is None else timeout)
        while self._events and (self._events[0][0] <= self._clock.time or (not self._results and self._events[0][0] <= end)):
            due, _, action = heapq.heappop(self._events)
            self._clock.time = max(self._clock.time, due)
            action()
        if not self._results and end < NEVER:
            self._clock.time = max(self._clock.time, end)
        results, self._results = self._results, []
        return results

    def cancel_pending(self) -> None:
        """Do nothing: a simulation is never interrupted."""

    def close(self) -> None:
        """Do nothing: there are no resources to release."""

    def _after(self, delay: float, action: Callable[[], None]) -> None:
        if delay < NEVER:
            heapq.heappush(self._events, (self._clock.time + delay, next(self._order), action))

    def _draw(self, mean: float) -> float:
        return self._rng.expovariate(1 / mean) if mean < NEVER else NEVER

    def _free(self, node: Node) -> int:
        return ATTEMPTS_PER_WORKER * self._size - len(node.leased) if node.is_reachable and node.is_up else 0

    def _add_to_rotation(self, node: Node) -> None:
        if not node.is_in_rotation:
            node.is_in_rotation = True
            self._rotation.append(node)

    def _schedule_faults(self, node: Node) -> None:
        """Schedule the end of this life of ``node``, and its next cut-off."""
        life = node.life
        self._after(self._draw(self._faults.lifetime), lambda: self._die(node, life))
        self._after(self._draw(self._faults.cut_off_every), lambda: self._cut_off(node, life))

    def _advance(self, node: Node) -> None:
        """Start waiting attempts on idle workers of ``node``."""
        while node.waiting and node.busy < self._size:
            attempt = node.waiting.popleft()
            node.busy += 1
            taken = self._seconds(attempt.task.key) * node.slowness
            self._after(taken, partial(self._end, node, (node.life, node.term), attempt, taken))

    def _seconds(self, key: bytes) -> float:
        """Return the seconds that a worker at full speed takes for a task, always the same for one task."""
        seconds = self._task_seconds.get(key)
        if seconds is None:
            seconds = self._task_seconds[key] = self._mean * self._rng.lognormvariate(-0.125, 0.5)  # with mean 1: images differ
        return seconds

    def _end(self, node: Node, start: tuple[int, int], attempt: Attempt, taken: float) -> None:
        life, term = start
        if life != node.life:
            return
        node.busy -= 1
        if node.is_reachable:
            self._deliver(node, term, attempt, taken)
        else:
            node.undelivered.append((term, attempt, taken))
        self._advance(node)

    def _deliver(self, node: Node, term: int, attempt: Attempt, taken: float) -> None:
        if term != node.term or node.leased.pop(attempt.task.key, None) is None:
            self.tally["late_answers"] += 1
            return
        failure = POISONED if attempt.task.payload else None
        self._results.append(Completed(attempt=attempt, failure=failure, seconds=taken))
        self._add_to_rotation(node)

    def _die(self, node: Node, life: int) -> None:
        if life != node.life or not node.is_up:
            return
        self.tally["deaths"] += 1
        node.life += 1
        node.is_up, node.busy = False, 0
        node.waiting.clear()
        node.undelivered.clear()
        self._fall_silent(node)
        self._after(self._faults.reboot, lambda: self._reboot(node))

    def _reboot(self, node: Node) -> None:
        node.is_up = node.is_reachable = True
        self._add_to_rotation(node)
        self._schedule_faults(node)

    def _cut_off(self, node: Node, life: int) -> None:
        if life != node.life or not node.is_up:
            return
        self.tally["cut_offs"] += 1
        node.is_reachable = False
        self._fall_silent(node)
        self._after(self._draw(self._faults.cut_off_for), lambda: self._reconnect(node, life))
        self._after(self._draw(self._faults.cut_off_every), lambda: self._cut_off(node, life))

    def _reconnect(self, node: Node, life: int) -> None:
        if life != node.life:
            return
        node.is_reachable = True
        results, node.undelivered = node.undelivered, []
        for term, attempt, taken in results:
            self._deliver(node, term, attempt, taken)
        self._add_to_rotation(node)

    def _fall_silent(self, node: Node) -> None:
        term = node.term
        self._after(self._faults.lease, lambda: self._expire_lease(node, term))

    def _expire_lease(self, node: Node, term: int) -> None:
        """Take back the attempts of a silent node; results that it still sends are late."""
        if node.term != term or (node.is_up and node.is_reachable):
            return
        node.term += 1
        self.tally["leased_anew"] += len(node.leased)
        if node.leased:
            self._results.append(Returned(attempts=tuple(node.leased.values())))
        node.leased.clear()
        node.waiting.clear()
