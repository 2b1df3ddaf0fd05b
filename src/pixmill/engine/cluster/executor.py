"""The executor over a fleet: leases attempts to nodes, and leases them anew when a node gives no sign any more.

A lease ends in exactly one of two ways: the node's reply names its number, or the node is given up and its attempts are
reported as ``Returned``. Whatever a lost node says later comes under a number that nobody has, and is not even read: nothing
counts twice. We hold the lease, not the cluster engine, whose own health check may take minutes.
"""

import time
from abc import abstractmethod
from collections.abc import Sequence
from itertools import count
from typing import ClassVar, Self

from msgspec.structs import replace

from pixmill.core.errors import RunError, may_be_the_machine
from pixmill.core.events import Event
from pixmill.core.units import Duration
from pixmill.engine.cluster.backend import ClusterBackend
from pixmill.engine.cluster.membership import Membership, NodeLost, Replied
from pixmill.engine.cluster.messages import Reply
from pixmill.engine.cluster.node import Node, assign
from pixmill.engine.cluster.node_losses import LossTracker
from pixmill.engine.cluster.second_opinions import SecondOpinions
from pixmill.engine.events import NodeRefused, NodeSuspended, TaskRetried
from pixmill.engine.executor import Completed, Executor, ExecutorEvent, Lost, Returned, Told, WorkerStatus
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe
from pixmill.engine.task import Attempt

#: seconds without a reply after which a node is given up; it ends its workers by itself after twice that
LEASE = 15.0
#: seconds without any node after which the run ends; it can go on later
PATIENCE = 60.0
_TICK = 0.25
_START_TIMEOUT = 10.0
_LATECOMERS = 5.0  # seconds for another node to join when all that there are have been refused
_BALANCE = 1.0  # between two looks for work to move: what moves is on its way for a while


class ClusterExecutor(Executor):
    """Runs attempts on the nodes of a cluster, present and to come. ``workers``: in all, or every core that there is."""

    has_nodes: ClassVar = True

    def __init__(
        self, *, workers: int | None = None, address: str | None = None, lease: float = LEASE, patience: float = PATIENCE
    ) -> None:
        """Connect to nothing yet. ``address``: of the cluster.

        ``lease``: seconds of silence after which a node is given up; ``patience``: seconds without any node that is ready after
        which the run is.
        """
        self._wanted = workers
        self._address = address
        self._lease = lease
        self._patience = patience
        self._probe: Probe | None = None
        self._membership: Membership | None = None
        self._loss_tracker = LossTracker()
        self._opinions = SecondOpinions()
        self._numbers = count(1)
        self._loose: list[Attempt] = []
        self._reports: list[ExecutorEvent] = []
        self._is_cancelling = False
        self._next_balance = 0.0
        self._last_loss = ""
        self._alone_since: float | None = None

    @classmethod
    def connect(cls, *, workers: int | None, address: str | None) -> Self:
        """Return the executor of the cluster at ``address``; of the one that the environment names, or else of a local one."""
        return cls(workers=workers, address=address)

    @abstractmethod
    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect to the cluster at ``address``, or start one here with ``workers`` cores.

        ``RunError`` when it cannot be reached, ``MissingExtra`` when its engine is not installed.
        """

    @property
    def workers(self) -> int:
        """Return the number of workers on all nodes; before the start, as many as were asked for."""
        nodes = self._membership or ()
        return sum(node.workers for node in nodes if node.is_available) or self._wanted or 1

    def admit_by(self, probe: Probe) -> None:
        """Leave out the nodes that do not stand up to ``probe``, those too that join later."""
        self._probe = probe

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Bring hosts up wherever there is a site, and wait for them. ``RunError`` when all are refused, or none comes."""
        backend = self.open_backend(self._address, self._wanted)
        self._membership = Membership(backend, handler, policy, wanted=self._wanted, lease=self._lease, probe=self._probe)
        began = time.monotonic()
        while not self._is_assembled(time.monotonic() - began):
            self._turn(_TICK)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return max(0, sum(node.capacity for node in self._started) - len(self._loose))

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts."""
        self._is_cancelling = False
        self._loose.extend(attempts)
        self._place()

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return what has happened, waiting for something to. ``RunError`` when no node is left and none comes."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            pause = _TICK if end is None else max(0.0, min(_TICK, end - time.monotonic()))
            self._turn(0.0 if self._reports else pause)
            if self._reports or (end is not None and time.monotonic() >= end):
                reports, self._reports = self._reports, []
                return reports

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each worker was at when its node last replied."""
        return tuple(post for node in self._started for post in node.worker_statuses())

    def cancel_pending(self) -> None:
        """Ask back what has not begun."""
        self._is_cancelling = True
        self._requeue([*self._loose, *(attempt for node in self._started for attempt in node.cancel_pending())])

    def close(self) -> None:
        """End the workers on every node that can be reached; one that cannot be ends them by itself."""
        muster, self._membership = self._membership, None
        if muster is not None:
            muster.close()

    @property
    def _started(self) -> Membership:
        if self._membership is None:
            raise RunError("the executor has not been started")
        return self._membership

    def _is_assembled(self, waited: float) -> bool:
        """Return whether the nodes that were there at the start are at work, or have had time enough."""
        working = [node.is_working for node in self._started]
        return bool(working) and (all(working) or (any(working) and waited > _START_TIMEOUT))

    def _turn(self, pause: float) -> None:
        self._place()
        for event in self._started.poll(pause):
            match event:
                case Replied(node=node, reply=reply):
                    self._note(node, reply)
                case NodeLost(node=node, reason=reason, refusal=refusal):
                    self._last_loss = f"{node.site.label}: {reason}"
                    if refusal:
                        self._tell(NodeRefused, node=node.site.label, reason=reason, hint=refusal.hint)
                    if node.leases or (node.handshake_done and not refusal):  # others took nothing with them
                        self._reports += self._loss_tracker.record(node.site.label, reason, tuple(node.leases.values()))
        now = time.monotonic()
        self._rebalance(now)
        self._check_nodes_left(now)

    def _tell(self, kind: type[Event], **facts: object) -> None:
        self._reports.append(Told(kind=kind, facts=facts))

    def _note(self, node: Node, reply: Reply) -> None:
        """Turn a reply into reports."""
        for answer in reply.results:
            attempt = node.leases.pop(answer.number)
            self._loss_tracker.forget(attempt)
            self._weigh(node, Completed.by(answer, attempt=attempt, node=node.site.label))
        for casualty in reply.deaths:
            culprit = None if casualty.number is None else node.leases.pop(casualty.number)
            failure = replace(casualty.failure, node=node.site.label)
            if culprit:
                self._opinions.on_loss(node, culprit, failure.code)
            self._reports.append(Lost(pid=casualty.pid, failure=failure, attempt=culprit))
        self._requeue([node.leases.pop(number) for number in reply.returned])

    def _weigh(self, node: Node, answer: Completed) -> None:
        """Report an answer; one that says more of the node than of the task is compared with that of another node first."""
        attempt, failure = answer.attempt, answer.failure
        if failure is None or not may_be_the_machine(failure.code):
            self._end(answer, node)
            return
        self._opinions.on_result(node, answer, failure.code)
        node.is_credible = False
        if self._end_if_settled(attempt):
            return
        self._tell(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
        self._requeue([attempt])

    def _end(self, answer: Completed, node: Node) -> None:
        """Report what ``node`` made of a task, and hold it against those that could not do what it has done."""
        failed = self._opinions.close(answer.attempt)
        self._reports.append(answer)
        if answer.failure is not None:
            return
        node.is_credible = True
        node.contradicted.append(False)
        for other in self._started:
            if other.site.name in failed and other is not node:
                other.contradicted.append(True)
                self._suspend_if_sick(other)

    def _suspend_if_sick(self, node: Node) -> None:
        if node.is_suspended or not node.is_sick:
            return
        node.suspend()
        wrong, of = sum(node.contradicted), len(node.contradicted)
        reason = f"{wrong} of its last {of} tasks failed there and were done by other nodes"
        self._tell(NodeSuspended, node=node.site.label, reason=reason)

    def _end_if_settled(self, attempt: Attempt) -> bool:
        """Report the failure of ``attempt`` if nobody is left whose word on it is wanted."""
        available = [node for node in self._started if node.is_available]
        failure = self._opinions.decided(attempt, available) if available else None
        if failure is None:
            return False
        self._opinions.close(attempt)
        self._reports.append(failure)
        return True

    def _requeue(self, attempts: list[Attempt]) -> None:
        """Find a new place for attempts that never began; the caller's, when it has recalled them."""
        if not self._is_cancelling:
            self._loose = attempts + self._loose
            return
        self._loose.clear()
        if attempts:
            self._reports.append(Returned(attempts=tuple(attempts)))

    def _place(self) -> None:
        """Lease what waits to the nodes that have room."""
        left = []
        for node, attempt in assign(tuple(self._started), self._loose, self._opinions.doubters):
            if node is not None:
                node.give(next(self._numbers), attempt)
            elif not self._end_if_settled(attempt):  # the node that was to be asked may have gone
                left.append(attempt)
        self._loose = left

    def _rebalance(self, now: float) -> None:
        """When a node has nothing to do, take back what waits for a worker on others."""
        nodes = tuple(self._started)
        if self._loose or now < self._next_balance or not any(node.capacity and not node.leases for node in nodes):
            return
        self._next_balance = now + _BALANCE
        for node in nodes:
            if len(node.leases) > node.workers:
                self._loose += node.cancel_pending()

    def _check_nodes_left(self, now: float) -> None:
        """Wait a while for a node when none is left: the run can go on later, too."""
        if any(node.is_available for node in self._started):
            self._alone_since = None
            return
        placement = self._started.placement
        self._alone_since = self._alone_since or now
        if placement.is_exhausted and now - self._alone_since > min(_LATECOMERS, self._patience):
            raise placement.error()
        if now - self._alone_since > self._patience:
            last = f"; the last one, {self._last_loss}" if self._last_loss else ""
            message = f"no node of the cluster has been ready for {Duration(self._patience)}{last}"
            raise RunError(message, hint="are its nodes up, is pixmill installed there, and are their cores free?")
