"""The nodes of a run: start their agents, admit them, exchange messages, declare them lost. The executor handles the attempts."""

import logging
import re
import time
from collections.abc import Iterator
from itertools import count

import msgspec
from msgspec.structs import replace

from pixmill.core.errors import RunError
from pixmill.core.units import Duration
from pixmill.engine.cluster.backend import ClusterBackend, NodeSlot, Received
from pixmill.engine.cluster.messages import Inquiry, Reply, Shutdown, StartPool, Versions, decode_reply, decode_versions, encode
from pixmill.engine.cluster.node import Node
from pixmill.engine.cluster.node_agent import NODE_LOST
from pixmill.engine.cluster.placement import Placement
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe

#: seconds that an agent may take for its handshake and its admission: its machine may have to load Python from a slow disk
_HANDSHAKE_TIMEOUT = 60.0
#: seconds beyond a poll's pause after which this process is taken to have been suspended
_SUSPEND_THRESHOLD = 2.0
_SHUTDOWN_TIMEOUT = 10.0
_POLL_INTERVAL = 0.25
_EXCEPTION = re.compile(r"[\w.]+(Error|Exception): ")

_log = logging.getLogger(__name__)


class NodeLost(msgspec.Struct, frozen=True):
    """A node is declared lost for this ``reason``; its leases are void. With a ``refusal`` it gets no more work in this run."""

    node: Node
    reason: str
    refusal: RunError | None = None


class Replied(msgspec.Struct, frozen=True):
    """The pool of a node has replied."""

    node: Node
    reply: Reply


class Membership:
    """Keeps an agent in every slot that is wanted and that passes ``probe``.

    ``lease``: seconds without a reply after which a node is declared lost.
    """

    def __init__(
        self,
        backend: ClusterBackend,
        handler: HandlerRef,
        policy: Policy,
        *,
        wanted: int | None,
        lease: float,
        probe: Probe | None = None,
    ) -> None:
        """Start no agent yet; the first ``poll`` does."""
        self.placement = Placement(wanted)
        self._backend = backend
        self._handler = handler
        self._policy = policy
        self._probe = probe
        self._wanted = wanted
        self._lease = lease
        self._nodes: dict[int, Node] = {}
        self._numbers = count(1)
        self._last_poll = time.monotonic()

    def __iter__(self) -> Iterator[Node]:
        """Yield the nodes, including those whose agents are still starting."""
        return iter(self._nodes.values())

    def poll(self, pause: float) -> list[Replied | NodeLost]:
        """Send the requests that are due, wait up to ``pause`` seconds for a reply, and return what has happened."""
        departed = self._refresh_nodes(time.monotonic())
        for number, node in self._nodes.items():
            if node.is_due(time.monotonic()):
                self._send_request(number, node)
        received = self._backend.receive(pause)
        now = time.monotonic()
        if now - self._last_poll > _SUSPEND_THRESHOLD + pause:
            for node in self:
                node.exclude_pause(now - self._last_poll)
        self._last_poll = now
        return [*departed, *self._on_received(received, now), *self._expire_silent(now)]

    def close(self) -> None:
        """Have every agent kill its workers, wait a limited time for their replies, then close the backend."""
        end = time.monotonic() + _SHUTDOWN_TIMEOUT
        remaining = {number: node for number, node in self._nodes.items() if node.is_working}
        self._nodes.clear()
        while remaining and time.monotonic() < end:
            for number, node in remaining.items():
                if not node.awaiting_reply:
                    node.is_shutting_down = True
                    node.on_sent(time.monotonic())
                    self._backend.send(number, encode(Shutdown()))
            for number, reply in self._backend.receive(_POLL_INTERVAL):
                answering = remaining.get(number)
                if answering is None:
                    continue
                answering.awaiting_reply = False
                if answering.is_shutting_down or isinstance(reply, Exception):
                    del remaining[number]
        self._backend.close()

    def _refresh_nodes(self, now: float) -> list[NodeLost]:
        """Start agents in free slots, and declare the nodes lost that the cluster itself no longer lists."""
        if not self.placement.is_due(now):
            return []
        slots = self._backend.slots()
        names = {slot.name for slot in slots}
        departed = [number for number, node in self._nodes.items() if node.slot.name not in names]
        losses = [self._lose(number, "it has left the cluster", now) for number in departed]
        losses += [self._refuse_slot(slot, now) for slot in slots if slot.lacks and slot.name not in self.placement.rejected]
        used_cores = {node.slot.name: 0 if node.is_suspended else node.cores for node in self}
        for slot, cores in self.placement.free_slots(slots, used_cores, now):
            number = next(self._numbers)
            self._nodes[number] = Node(slot, cores, now)
            self._backend.start_agent(number, slot, cores)
        return losses

    def _refuse_slot(self, slot: NodeSlot, now: float) -> NodeLost:
        """Use no slot of a node that lacks what each worker needs."""
        reason = RunError(slot.lacks, hint="start the engine on nodes that offer it, or use a step that does not need it")
        self.placement.reject(slot, reason)
        return NodeLost(Node(slot, 0, now), reason.message, refusal=reason)

    def _send_request(self, number: int, node: Node) -> None:
        self._backend.send(number, encode(node.next_request()))
        node.on_sent(time.monotonic())

    def _on_received(self, received: list[Received], now: float) -> Iterator[Replied | NodeLost]:
        for number, message in received:
            node = self._nodes.get(number)
            if node is None:
                continue  # it was declared lost: its leases are void, so its late message is ignored
            if isinstance(message, Exception):
                yield self._lose(number, _sentence(message), now)
            elif node.handshake_done:
                yield from self._on_reply(number, node, decode_reply(message), now)
            else:
                yield from self._handshake(number, node, decode_versions(message), now)

    def _handshake(self, number: int, node: Node, theirs: Versions, now: float) -> Iterator[NodeLost]:
        """Refuse an agent with other versions; otherwise send it the probe's inquiry, or start its pool."""
        node.handshake_done = True
        ours = Versions.here()
        if theirs != ours:
            reason = (
                f"it has Python {theirs.python} and pixmill {theirs.pixmill}, the coordinator has "
                f"Python {ours.python} and pixmill {ours.pixmill}: results could differ"
            )
            yield self._refuse(number, RunError(reason, hint="install the same on every node"), now)
        elif self._probe:
            self._backend.send(number, encode(Inquiry(self._probe.function, self._probe.options)))
            node.on_sent(now)
        else:
            self._start_pool(number, node, now)

    def _start_pool(self, number: int, node: Node, now: float) -> None:
        node.is_admitted = True
        workers = None if self._wanted is None and not self._handler.resources else node.cores
        request = StartPool.of(
            self._handler,
            self._policy,
            cores=node.cores,
            workers=workers,
            silence=2 * self._lease,
            sharing=node.slot.sharing,
        )
        self._backend.send(number, encode(request))
        node.on_sent(now)

    def _on_reply(self, number: int, node: Node, reply: Reply, now: float) -> Iterator[Replied | NodeLost]:
        if reply.error and reply.error.code == NODE_LOST:
            yield self._lose(number, reply.error.message, now)
        elif reply.error:
            yield self._refuse(number, RunError(reply.error.message, hint=reply.error.hint), now)
        elif self._probe and not node.is_admitted:
            yield from self._probe_node(number, node, reply.evidence, self._probe)
        else:
            node.on_reply(reply)
            yield Replied(node, reply)

    def _probe_node(self, number: int, node: Node, evidence: bytes, probe: Probe) -> Iterator[NodeLost]:
        """Start the pool of an agent whose evidence passes the probe."""
        try:
            probe.check(evidence)
        except RunError as error:
            yield self._refuse(number, error, time.monotonic())
        else:
            self._start_pool(number, node, time.monotonic())

    def _refuse(self, number: int, reason: RunError, now: float) -> NodeLost:
        """Declare a node lost for the rest of the run: no other agent is started in its slot."""
        node = self._nodes[number]
        self.placement.reject(node.slot, reason)
        return replace(self._lose(number, reason.message, now), refusal=reason)

    def _expire_silent(self, now: float) -> list[NodeLost]:
        silent = [
            (number, silence)
            for number, node in self._nodes.items()
            if (silence := node.silence(now)) > (self._lease if node.is_admitted else _HANDSHAKE_TIMEOUT)
        ]
        return [self._lose(number, f"no reply for {Duration(round(silence))}", now) for number, silence in silent]

    def _lose(self, number: int, reason: str, now: float) -> NodeLost:
        node = self._nodes.pop(number)
        self.placement.cool_down(node.slot, now)
        self._backend.stop_agent(number)
        _log.warning("node %s is lost with %d tasks: %s", node.slot.label, len(node.leases), reason)
        return NodeLost(node, reason)


def _sentence(error: Exception) -> str:
    """Return one line of a cluster engine's error: the last one if it names an exception, else the first.

    The lines between them can fill pages.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1] if _EXCEPTION.match(lines[-1]) else lines[0]
