"""The nodes that live: hired, checked, written to, given up. What is done with attempts is the executor's business."""

import logging
import re
import time
from collections.abc import Iterator
from itertools import count

import msgspec
from msgspec.structs import replace

from pixmill.core.errors import RunError
from pixmill.core.units import Duration
from pixmill.engine.cluster.backend import ClusterBackend
from pixmill.engine.cluster.messages import Inquiry, Reply, Shutdown, StartPool, Versions, decode_reply, decode_versions, encode
from pixmill.engine.cluster.node import Node
from pixmill.engine.cluster.node_agent import NODE_LOST
from pixmill.engine.cluster.placement import Placement
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe

#: seconds that a host may take to say hello, and to be admitted: its machine may have to load Python from a slow disk
_HANDSHAKE_TIMEOUT = 60.0
_SUSPEND_THRESHOLD = 2.0
_SHUTDOWN_TIMEOUT = 10.0
_TICK = 0.25
_EXCEPTION = re.compile(r"[\w.]+(Error|Exception): ")

_log = logging.getLogger(__name__)


class NodeLost(msgspec.Struct, frozen=True):
    """A node is given up, for this ``reason``; its leases are over. With ``refusal`` it gets no work any more."""

    node: Node
    reason: str
    refusal: RunError | None = None


class Replied(msgspec.Struct, frozen=True):
    """A node has replied."""

    node: Node
    reply: Reply


class Membership:
    """Keeps a host at every site that is wanted, and that stands up to ``probe``.

    ``lease``: seconds without a reply after which a node is given up.
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
        """Hire nobody yet; the first ``turn`` does."""
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
        """Yield the nodes, those too that have been sent for."""
        return iter(self._nodes.values())

    def poll(self, pause: float) -> list[Replied | NodeLost]:
        """Write to whom it is time to, wait up to ``pause`` seconds for a reply, and return what has happened."""
        vanished = self._refresh_nodes(time.monotonic())
        for number, node in self._nodes.items():
            if node.is_due(time.monotonic()):
                self._write(number, node)
        heard = self._backend.receive(pause)
        now = time.monotonic()
        if now - self._last_poll > _SUSPEND_THRESHOLD + pause:
            for node in self:
                node.exclude_pause(now - self._last_poll)
        self._last_poll = now
        return [*vanished, *self._listen(heard, now), *self._expire_silent(now)]

    def close(self) -> None:
        """Have every host end its workers, and wait for that where it can be had; then let go of the fleet."""
        end = time.monotonic() + _SHUTDOWN_TIMEOUT
        staying = {number: node for number, node in self._nodes.items() if node.is_working}
        self._nodes.clear()
        while staying and time.monotonic() < end:
            for number, node in staying.items():
                if not node.awaiting_reply:
                    node.is_dismissed = True
                    node.on_sent(time.monotonic())
                    self._backend.send(number, encode(Shutdown()))
            for number, heard in self._backend.receive(_TICK):
                leaving = staying.get(number)
                if leaving is None:
                    continue
                leaving.awaiting_reply = False
                if leaving.is_dismissed or isinstance(heard, Exception):
                    del staying[number]
        self._backend.close()

    def _refresh_nodes(self, now: float) -> list[NodeLost]:
        """Hire wherever there is an opening, and give up the nodes that the cluster itself has struck off."""
        if not self.placement.is_due(now):
            return []
        sites = self._backend.sites()
        names = {site.name for site in sites}
        gone = [number for number, node in self._nodes.items() if node.site.name not in names]
        losses = [self._lose(number, "it has left the cluster", now) for number in gone]
        taken = {node.site.name: 0 if node.is_suspended else node.cores for node in self}
        for site, cores in self.placement.free_slots(sites, taken, now):
            number = next(self._numbers)
            self._nodes[number] = Node(site, cores, now)
            self._backend.start_agent(number, site, cores)
        return losses

    def _write(self, number: int, node: Node) -> None:
        self._backend.send(number, encode(node.next_request()))
        node.on_sent(time.monotonic())

    def _listen(self, heard: list[tuple[int, bytes | Exception]], now: float) -> Iterator[Replied | NodeLost]:
        for number, said in heard:
            node = self._nodes.get(number)
            if node is None:
                continue  # it was given up: its leases are over, whatever it has to say
            if isinstance(said, Exception):
                yield self._lose(number, _sentence(said), now)
            elif node.handshake_done:
                yield from self._on_reply(number, node, decode_reply(said), now)
            else:
                yield from self._handshake(number, node, decode_versions(said), now)

    def _handshake(self, number: int, node: Node, theirs: Versions, now: float) -> Iterator[NodeLost]:
        """Ask a host that has come up, if it runs what we run, for what it has to show."""
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
        workers = None if self._wanted is None else node.cores
        letter = StartPool.of(self._handler, self._policy, cores=node.cores, workers=workers, silence=2 * self._lease)
        self._backend.send(number, encode(letter))
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
        """Engage a host that has shown what it had to."""
        try:
            probe.check(evidence)
        except RunError as error:
            yield self._refuse(number, error, time.monotonic())
        else:
            self._start_pool(number, node, time.monotonic())

    def _refuse(self, number: int, reason: RunError, now: float) -> NodeLost:
        """Give up a host for good: no other is hired at its site."""
        node = self._nodes[number]
        self.placement.reject(node.site, reason)
        return replace(self._lose(number, reason.message, now), refusal=reason)

    def _expire_silent(self, now: float) -> list[NodeLost]:
        silent = [
            (number, silence)
            for number, node in self._nodes.items()
            if (silence := node.silence(now)) > (self._lease if node.is_admitted else _HANDSHAKE_TIMEOUT)
        ]
        return [self._lose(number, f"no sign for {Duration(round(silence))}", now) for number, silence in silent]

    def _lose(self, number: int, reason: str, now: float) -> NodeLost:
        node = self._nodes.pop(number)
        self.placement.cool_down(node.site, now)
        self._backend.drop(number)
        _log.warning("node %s is lost with %d tasks: %s", node.site.label, len(node.leases), reason)
        return NodeLost(node, reason)


def _sentence(error: Exception) -> str:
    """Return what a cluster engine says of a call that failed: the first line, or the last where that names an exception.

    Between the two are pages.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1] if _EXCEPTION.match(lines[-1]) else lines[0]
