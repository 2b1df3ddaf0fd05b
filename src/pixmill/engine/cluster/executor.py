"""The executor for clusters: leases attempts to nodes, and leases them again when a node falls silent.

A lease ends in exactly one of two ways: the node's reply contains its number, or the node is declared lost and its attempts are
reported as ``Returned``. Anything that a lost node sends later carries a number that is no longer in use and is not even decoded,
so nothing counts twice. The leases are ours, not the cluster engine's: its own health check may take minutes.
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
from pixmill.engine.executor import Completed, Executor, ExecutorEvent, Lost, Notification, Returned, WorkerStatus
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe
from pixmill.engine.task import Attempt

#: seconds without a reply after which a node is declared lost; after twice that the node kills its workers by itself
LEASE = 15.0
#: seconds without any available node after which the run ends; it can be resumed later
NO_NODES_TIMEOUT = 60.0
_POLL_INTERVAL = 0.25
#: seconds after which a start with some nodes ready does not wait for the others
_START_TIMEOUT = 10.0
_ALL_REFUSED_TIMEOUT = 5.0  # seconds for another node to join when all present nodes have been refused
_REBALANCE_INTERVAL = 1.0  # seconds between two attempts to rebalance: returned attempts take a while to arrive


class ClusterExecutor(Executor):
    """Runs attempts on the nodes of a cluster, including nodes that join later.

    ``workers``: the total number of workers; ``None`` uses every core.
    """

    has_nodes: ClassVar = True

    def __init__(
        self,
        *,
        workers: int | None = None,
        address: str | None = None,
        lease: float = LEASE,
        no_nodes_timeout: float = NO_NODES_TIMEOUT,
    ) -> None:
        """Do not connect yet. ``address``: the address of the cluster.

        ``lease``: seconds of silence after which a node is declared lost; ``no_nodes_timeout``: seconds without any available node
        after which the run ends.
        """
        self._wanted = workers
        self._address = address
        self._lease = lease
        self._no_nodes_timeout = no_nodes_timeout
        self._probe: Probe | None = None
        self._membership: Membership | None = None
        self._loss_tracker = LossTracker()
        self._opinions = SecondOpinions()
        self._lease_numbers = count(1)
        self._queue: list[Attempt] = []
        self._events: list[ExecutorEvent] = []
        self._is_cancelling = False
        self._next_rebalance = 0.0
        self._last_loss = ""
        self._no_nodes_since: float | None = None

    @classmethod
    def connect(cls, *, workers: int | None, address: str | None) -> Self:
        """Return the executor for the cluster at ``address``, else for the one in the environment, else for a local one."""
        return cls(workers=workers, address=address)

    @abstractmethod
    def open_backend(self, address: str | None, workers: int | None) -> ClusterBackend:
        """Connect to the cluster at ``address``, or start one on this machine with ``workers`` cores.

        ``RunError`` when it cannot be reached, ``MissingExtra`` when its engine is not installed.
        """

    @property
    def workers(self) -> int:
        """Return the number of workers on all nodes; before the start, the requested number."""
        nodes = self._membership or ()
        return sum(node.workers for node in nodes if node.is_available) or self._wanted or 1

    def admit_by(self, probe: Probe) -> None:
        """Refuse nodes that do not pass ``probe``, including nodes that join later."""
        self._probe = probe

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Start an agent in every slot and wait for them. ``RunError`` when all nodes are refused, or none joins."""
        backend = self.open_backend(self._address, self._wanted)
        backend.require(dict(handler.resources))
        self._membership = Membership(backend, handler, policy, wanted=self._wanted, lease=self._lease, probe=self._probe)
        start = time.monotonic()
        while not self._is_ready(time.monotonic() - start):
            self._poll(_POLL_INTERVAL)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return max(0, sum(node.capacity for node in self._started) - len(self._queue))

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts and lease as many as the nodes can take."""
        self._is_cancelling = False
        self._queue.extend(attempts)
        self._dispatch()

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return what has happened, waiting for the first event. ``RunError`` when no node is left and none joins."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            pause = _POLL_INTERVAL if end is None else max(0.0, min(_POLL_INTERVAL, end - time.monotonic()))
            self._poll(0.0 if self._events else pause)
            if self._events or (end is not None and time.monotonic() >= end):
                events, self._events = self._events, []
                return events

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return the status of each worker as of its node's last reply."""
        return tuple(status for node in self._started for status in node.worker_statuses())

    def cancel_pending(self) -> None:
        """Take back the attempts that have not started."""
        self._is_cancelling = True
        self._requeue([*self._queue, *(attempt for node in self._started for attempt in node.cancel_pending())])

    def close(self) -> None:
        """Kill the workers on every node that can be reached; an unreachable node kills its own."""
        membership, self._membership = self._membership, None
        if membership is not None:
            membership.close()

    @property
    def _started(self) -> Membership:
        if self._membership is None:
            raise RunError("the executor has not been started")
        return self._membership

    def _is_ready(self, waited: float) -> bool:
        """Return whether all nodes are working, or some are and the others have had enough time."""
        working = [node.is_working for node in self._started]
        return bool(working) and (all(working) or (any(working) and waited > _START_TIMEOUT))

    def _poll(self, pause: float) -> None:
        self._dispatch()
        for event in self._started.poll(pause):
            match event:
                case Replied(node=node, reply=reply):
                    self._on_reply(node, reply)
                case NodeLost(node=node, reason=reason, refusal=refusal):
                    self._last_loss = f"{node.slot.label}: {reason}"
                    if refusal:
                        self._notify(NodeRefused, node=node.slot.label, reason=reason, hint=refusal.hint)
                    if node.leases or (node.handshake_done and not refusal):  # a refused or unknown node held no work
                        self._events += self._loss_tracker.record(node.slot.label, reason, tuple(node.leases.values()))
        now = time.monotonic()
        self._rebalance(now)
        self._check_nodes_left(now)

    def _notify(self, kind: type[Event], **fields: object) -> None:
        self._events.append(Notification(kind=kind, fields=fields))

    def _on_reply(self, node: Node, reply: Reply) -> None:
        """Turn a reply into events."""
        for result in reply.results:
            attempt = node.leases.pop(result.number)
            self._loss_tracker.forget(attempt)
            self._on_completed(node, Completed.from_result(result, attempt=attempt, node=node.slot.label))
        for death in reply.deaths:
            culprit = None if death.number is None else node.leases.pop(death.number)
            failure = replace(death.failure, node=node.slot.label)
            if culprit:
                self._opinions.on_loss(node, culprit, failure.code)
            self._events.append(Lost(pid=death.pid, failure=failure, attempt=culprit))
        self._requeue([node.leases.pop(number) for number in reply.returned])

    def _on_completed(self, node: Node, completed: Completed) -> None:
        """Report a result; a failure that the node itself may have caused is first compared with another node's result."""
        attempt, failure = completed.attempt, completed.failure
        if failure is None or not may_be_the_machine(failure.code):
            self._finish(completed, node)
            return
        self._opinions.on_result(node, completed, failure.code)
        node.is_credible = False
        if self._finish_if_decided(attempt):
            return
        self._notify(TaskRetried, attempt=attempt, failure=failure, delay=0.0)
        self._requeue([attempt])

    def _finish(self, completed: Completed, node: Node) -> None:
        """Report the result of ``node``; if it succeeded, count it as a contradiction of the nodes that failed the task."""
        failed_on = self._opinions.close(completed.attempt)
        self._events.append(completed)
        if completed.failure is not None:
            return
        node.is_credible = True
        node.contradicted.append(False)
        for other in self._started:
            if other.slot in failed_on and other is not node:
                other.contradicted.append(True)
                self._suspend_if_sick(other)

    def _suspend_if_sick(self, node: Node) -> None:
        if node.is_suspended or not node.is_sick:
            return
        node.suspend()
        contradicted, recent = sum(node.contradicted), len(node.contradicted)
        reason = f"{contradicted} of its last {recent} tasks failed there and succeeded on other nodes"
        self._notify(NodeSuspended, node=node.slot.label, reason=reason)

    def _finish_if_decided(self, attempt: Attempt) -> bool:
        """Report the failure of ``attempt`` if no other node needs to confirm it."""
        available = [node for node in self._started if node.is_available]
        failure = self._opinions.decided(attempt, available) if available else None
        if failure is None:
            return False
        self._opinions.close(attempt)
        self._events.append(failure)
        return True

    def _requeue(self, attempts: list[Attempt]) -> None:
        """Requeue attempts that never started, or return them to the caller if it has cancelled pending attempts."""
        if not self._is_cancelling:
            self._queue = attempts + self._queue
            return
        self._queue.clear()
        if attempts:
            self._events.append(Returned(attempts=tuple(attempts)))

    def _dispatch(self) -> None:
        """Lease the queued attempts to the nodes that have capacity."""
        remaining = []
        for node, attempt in assign(tuple(self._started), self._queue, self._opinions.doubters):
            if node is not None:
                node.lease(next(self._lease_numbers), attempt)
            elif not self._finish_if_decided(attempt):  # the node that was to confirm it may have left
                remaining.append(attempt)
        self._queue = remaining

    def _rebalance(self, now: float) -> None:
        """When a node is idle, take back the attempts that wait for a worker on other nodes."""
        nodes = tuple(self._started)
        if self._queue or now < self._next_rebalance or not any(node.capacity and not node.leases for node in nodes):
            return
        self._next_rebalance = now + _REBALANCE_INTERVAL
        for node in nodes:
            if len(node.leases) > node.workers:
                self._queue += node.cancel_pending()

    def _check_nodes_left(self, now: float) -> None:
        """Raise when no node has been available for too long: the run can be resumed later."""
        if any(node.is_available for node in self._started):
            self._no_nodes_since = None
            return
        placement = self._started.placement
        self._no_nodes_since = self._no_nodes_since or now
        if placement.is_exhausted and now - self._no_nodes_since > min(_ALL_REFUSED_TIMEOUT, self._no_nodes_timeout):
            raise placement.error()
        if now - self._no_nodes_since > self._no_nodes_timeout:
            last = f"; the last one, {self._last_loss}" if self._last_loss else ""
            message = f"no node of the cluster has been ready for {Duration(self._no_nodes_timeout)}{last}"
            raise RunError(message, hint="are its nodes up, is pixmill installed there, and are their cores and GPUs free?")
