"""The coordinator's view of one host: what it has been leased, when it was last written to, and when it was heard of."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec.structs import replace

from pixmill.engine.cluster.backend import NodeSlot
from pixmill.engine.cluster.messages import Reply, RunTasks
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.task import Attempt

#: seconds after which a host replies although nothing has ended: while it could take more, and while it could not
_SOON, _LATER = 0.1, 0.5
#: seconds between two letters to a host that has nothing to do
_HEARTBEAT = 3.0
#: how many of the last tasks of a node are remembered, and of how many it may have been contradicted
_MEMORY, _CONTRADICTIONS = 10, 5


class Node:
    """A host from its hire to its loss. ``leases`` are the unanswered attempts by number, in the order they were given.

    ``room`` is how many more it should be given, ``told`` its last reply.
    It ``is_credible`` if it did the task that it answered last; ``contradicted`` tells of its last tasks whether they failed here
    and were done elsewhere. When too many did it ``is_suspended``: it ends what it has and gets no more.
    It ``is_admitted`` once it has shown all that it has to, which is before its workers are started.
    It ``has_answered`` once it has answered an attempt: until then its workers may be dying as fast as they start.
    """

    def __init__(self, site: NodeSlot, cores: int, now: float) -> None:
        """Begin as one who has been sent for, to have ``cores`` cores."""
        self.site = site
        self.cores = cores
        self.workers = cores
        self.handshake_done = False
        self.is_admitted = False
        self.is_working = False
        self.is_dismissed = False
        self.has_answered = False
        self.is_suspended = False
        self.is_credible = False
        self.contradicted: deque[bool] = deque(maxlen=_MEMORY)
        self.awaiting_reply = True
        self.leases: dict[int, Attempt] = {}
        self.last_reply = Reply()
        self.capacity = 0
        self._written = now
        self._outbox: deque[tuple[int, Attempt]] = deque()
        self._is_cancelling = False

    def give(self, number: int, attempt: Attempt) -> None:
        """Lease ``attempt`` to it."""
        self.capacity -= 1
        self.leases[number] = attempt
        self._outbox.append((number, attempt))

    @property
    def is_available(self) -> bool:
        """Whether it does tasks, and may get more."""
        return self.is_working and not self.is_suspended

    @property
    def is_sick(self) -> bool:
        """Whether half of its last tasks failed here and were done elsewhere."""
        return sum(self.contradicted) >= _CONTRADICTIONS

    def suspend(self) -> None:
        """Give it nothing any more, and have it give back what has not begun."""
        self.is_suspended = True
        self.capacity = 0
        self._is_cancelling = True

    def cancel_pending(self) -> list[Attempt]:
        """Ask for what has not begun; return what was never sent."""
        self._is_cancelling = True
        unsent = [self.leases.pop(number) for number, _ in self._outbox]
        self._outbox.clear()
        return unsent

    def is_due(self, now: float) -> bool:
        """Return whether it is time to write to it."""
        if self.awaiting_reply or not self.is_working or self.is_dismissed:
            return False
        return bool(self.leases or self._is_cancelling) or not self.has_answered or now - self._written > _HEARTBEAT

    def next_request(self) -> RunTasks:
        """Return what is to be written now."""
        requests, is_recalling = tuple(self._outbox), self._is_cancelling
        self._outbox, self._is_cancelling = deque(), False
        patience = (_SOON if self.capacity else _LATER) if self.leases or not self.has_answered else 0.0
        return RunTasks(requests=requests, patience=patience, cancel=is_recalling)

    def on_sent(self, now: float) -> None:
        """Note that a letter went out: its reply is awaited."""
        self.awaiting_reply = True
        self._written = now

    def on_reply(self, reply: Reply) -> None:
        """Take its reply."""
        self.awaiting_reply = False
        self.is_working = True
        self.has_answered = self.has_answered or bool(reply.results)
        self.last_reply = reply
        self.capacity = 0 if self.is_suspended else max(0, reply.capacity - len(self._outbox))
        self.workers = reply.workers or self.workers

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what its workers were at when it last replied."""
        return tuple(replace(post, node=self.site.label) for post in self.last_reply.statuses)

    def silence(self, now: float) -> float:
        """Return for how many seconds a reply has been awaited."""
        return now - self._written if self.awaiting_reply else 0.0

    def exclude_pause(self, pause: float) -> None:
        """Leave a time out of account in which the coordinator itself stood still."""
        self._written += pause


def assign(
    nodes: Sequence[Node], attempts: Sequence[Attempt], doubters: Callable[[Attempt], Collection[str]]
) -> Iterator[tuple[Node | None, Attempt]]:
    """Yield where to lease each of ``attempts``, in order, ``None`` while there is no room for it: the nodes get equal shares.

    One that is ``exclusive`` goes where a try may use the most memory. One that has ``doubters``, names of sites, goes to another
    node as long as there is one.
    """
    free = {node: node.capacity for node in nodes if node.capacity}
    for attempt in attempts:
        doubted = doubters(attempt)
        places = [node for node in _others(nodes, doubted) if node in free] if doubted else free
        if not places:
            yield None, attempt
            continue
        node = max(places, key=lambda node: node.last_reply.memory if attempt.exclusive else -len(node.leases) / node.workers)
        yield node, attempt
        free[node] -= 1
        if not free[node]:
            del free[node]


def _others(nodes: Sequence[Node], doubted: Collection[str]) -> list[Node]:
    """Return the nodes that are not ``doubted``; when there are none, all."""
    available = [node for node in nodes if node.is_available]
    return [node for node in available if node.site.name not in doubted] or available
