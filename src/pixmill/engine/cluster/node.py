"""The coordinator's view of one node agent: its leases, the last request and the last reply."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec.structs import replace

from pixmill.engine.cluster.backend import NodeSlot
from pixmill.engine.cluster.messages import Reply, RunTasks
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.task import Attempt

#: seconds after which an agent replies even if nothing has ended: while it can take more attempts, and while it cannot
_REPLY_TIMEOUT, _REPLY_TIMEOUT_WHEN_FULL = 0.1, 0.5
#: seconds between two requests to an agent that has nothing to do
_HEARTBEAT_INTERVAL = 3.0
#: the number of recent tasks of a node that are remembered, and how many of them must be contradicted for it to be sick
_RECENT_TASKS, _MAX_CONTRADICTIONS = 10, 5


class Node:
    """A node agent from its start to its loss. ``leases`` are the unanswered attempts by number, in the order they were sent.

    ``capacity`` is how many more attempts it should be sent, ``last_reply`` its last reply.
    It ``is_credible`` if it completed the task that it answered last. ``contradicted`` records of its recent tasks whether they
    failed here and succeeded elsewhere; when too many did, it ``is_suspended``: it finishes what it has and gets no more.
    It ``is_admitted`` once it has passed the probe, before its workers are started.
    It ``has_answered`` once it has answered an attempt; until then its workers may be dying as fast as they start.
    """

    def __init__(self, slot: NodeSlot, cores: int, now: float) -> None:
        """Represent an agent that is being started with ``cores`` cores."""
        self.slot = slot
        self.cores = cores
        self.workers = cores
        self.handshake_done = False
        self.is_admitted = False
        self.is_working = False
        self.is_shutting_down = False
        self.has_answered = False
        self.is_suspended = False
        self.is_credible = False
        self.contradicted: deque[bool] = deque(maxlen=_RECENT_TASKS)
        self.awaiting_reply = True
        self.leases: dict[int, Attempt] = {}
        self.last_reply = Reply()
        self.capacity = 0
        self._last_sent = now
        self._outbox: deque[tuple[int, Attempt]] = deque()
        self._is_cancelling = False

    def lease(self, number: int, attempt: Attempt) -> None:
        """Lease ``attempt`` to this node under ``number``."""
        self.capacity -= 1
        self.leases[number] = attempt
        self._outbox.append((number, attempt))

    @property
    def is_available(self) -> bool:
        """Whether it runs tasks and may get more."""
        return self.is_working and not self.is_suspended

    @property
    def is_sick(self) -> bool:
        """Whether half of its recent tasks failed here and succeeded elsewhere."""
        return sum(self.contradicted) >= _MAX_CONTRADICTIONS

    def suspend(self) -> None:
        """Send it no more attempts, and have it return those that have not started."""
        self.is_suspended = True
        self.capacity = 0
        self._is_cancelling = True

    def cancel_pending(self) -> list[Attempt]:
        """Have it return the attempts that have not started; return those that were never sent."""
        self._is_cancelling = True
        unsent = [self.leases.pop(number) for number, _ in self._outbox]
        self._outbox.clear()
        return unsent

    def is_due(self, now: float) -> bool:
        """Return whether to send the next request now."""
        if self.awaiting_reply or not self.is_working or self.is_shutting_down:
            return False
        return bool(self.leases or self._is_cancelling) or not self.has_answered or now - self._last_sent > _HEARTBEAT_INTERVAL

    def next_request(self) -> RunTasks:
        """Return the next request and clear the outbox."""
        requests, cancel = tuple(self._outbox), self._is_cancelling
        self._outbox, self._is_cancelling = deque(), False
        timeout = (_REPLY_TIMEOUT if self.capacity else _REPLY_TIMEOUT_WHEN_FULL) if self.leases or not self.has_answered else 0.0
        return RunTasks(requests=requests, timeout=timeout, cancel=cancel)

    def on_sent(self, now: float) -> None:
        """Note that a request was sent: its reply is awaited."""
        self.awaiting_reply = True
        self._last_sent = now

    def on_reply(self, reply: Reply) -> None:
        """Update the state from ``reply``."""
        self.awaiting_reply = False
        self.is_working = True
        self.has_answered = self.has_answered or bool(reply.results)
        self.last_reply = reply
        self.capacity = 0 if self.is_suspended else max(0, reply.capacity - len(self._outbox))
        self.workers = reply.workers or self.workers

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return the statuses of its workers as of its last reply."""
        return tuple(replace(status, node=self.slot.label) for status in self.last_reply.statuses)

    def silence(self, now: float) -> float:
        """Return for how many seconds a reply has been awaited."""
        return now - self._last_sent if self.awaiting_reply else 0.0

    def exclude_pause(self, pause: float) -> None:
        """Do not count ``pause`` seconds, during which the coordinator itself was suspended, as silence."""
        self._last_sent += pause


def assign(
    nodes: Sequence[Node], attempts: Sequence[Attempt], doubters: Callable[[Attempt], Collection[NodeSlot]]
) -> Iterator[tuple[Node | None, Attempt]]:
    """Yield a node for each of ``attempts``, in order, or ``None`` while none has capacity: the nodes get equal shares.

    An ``exclusive`` attempt goes to the node that offers it the most memory. An attempt that has ``doubters``, the slots
    that failed it, goes to a node on another host as long as there is one, else to another node on the same host.
    """
    free = {node: node.capacity for node in nodes if node.capacity}
    for attempt in attempts:
        doubted = doubters(attempt)
        candidates = [node for node in _others(nodes, doubted) if node in free] if doubted else free
        if not candidates:
            yield None, attempt
            continue
        node = max(candidates, key=lambda node: node.last_reply.memory if attempt.exclusive else -len(node.leases) / node.workers)
        yield node, attempt
        free[node] -= 1
        if not free[node]:
            del free[node]


def _others(nodes: Sequence[Node], doubted: Collection[NodeSlot]) -> list[Node]:
    """Return the available nodes on other hosts than those of ``doubted``; else the others, else all available nodes."""
    available = [node for node in nodes if node.is_available]
    hosts = {slot.host for slot in doubted}
    on_other_hosts = [node for node in available if node.slot.host not in hosts]
    return on_other_hosts or [node for node in available if node.slot not in doubted] or available
