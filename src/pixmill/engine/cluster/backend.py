"""The contract of a cluster engine: slots for node agents, and a way to send them requests."""

import queue
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress

import msgspec

#: the number of a node agent, and its reply or the error that it failed with
Received = tuple[int, bytes | Exception]


class NodeSlot(msgspec.Struct, frozen=True):
    """A place in the cluster where a node agent can run.

    ``name`` is the engine's identifier and is never reused; ``label`` is for people. ``cores`` is the number of cores that the
    engine offers there. ``lacks`` says what the node does not have that each worker needs; empty if it has everything.
    ``sharing``: how many slots share the node and its memory. ``shared_host``: the host, if other slots may be on it as well.
    """

    name: str
    label: str
    cores: int
    lacks: str = ""
    sharing: int = 1
    shared_host: str = ""

    @property
    def host(self) -> str:
        """Return the identifier of the host: slots on one host share its mounts and its software."""
        return self.shared_host or self.name


class ClusterBackend(ABC):
    """Starts node agents and exchanges messages with them. Each agent is identified by a number that is never reused.

    Every request has one reply, and an agent has at most one request at a time. Only ``receive`` waits for an agent.
    """

    @abstractmethod
    def require(self, resources: Mapping[str, float]) -> None:
        """Offer only slots with these ``resources`` for each worker, and reserve them. Called once, before ``slots``."""

    @abstractmethod
    def slots(self) -> list[NodeSlot]:
        """Return the slots where a node agent can run now. Called every few seconds."""

    @abstractmethod
    def start_agent(self, number: int, slot: NodeSlot, cores: int) -> None:
        """Start a ``NodeAgent`` in ``slot`` with ``cores`` cores reserved. ``receive`` returns its ``handshake``."""

    @abstractmethod
    def send(self, number: int, request: bytes) -> None:
        """Pass ``request`` to the ``handle`` of an agent whose handshake has been received."""

    @abstractmethod
    def receive(self, timeout: float) -> list[Received]:
        """Return the replies and errors of agents, waiting up to ``timeout`` seconds for the first."""

    @abstractmethod
    def stop_agent(self, number: int) -> None:
        """Stop an agent if it still exists and can be reached; ``receive`` returns nothing more from it."""

    @abstractmethod
    def close(self) -> None:
        """Stop all agents and disconnect from the cluster; shut it down if this backend started it."""


class ReplyQueue:
    """Holds the replies that a backend's threads receive until ``ClusterBackend.receive`` takes them."""

    def __init__(self) -> None:
        """Start empty."""
        self._replies: queue.SimpleQueue[Received] = queue.SimpleQueue()

    def put(self, number: int, reply: bytes | Exception) -> None:
        """Add the reply of the agent ``number``."""
        self._replies.put((number, reply))

    def take(self, timeout: float) -> list[Received]:
        """Remove and return all replies, waiting up to ``timeout`` seconds for the first."""
        taken = []
        with suppress(queue.Empty):
            taken.append(self._replies.get(timeout=timeout) if timeout > 0 else self._replies.get_nowait())
            while True:
                taken.append(self._replies.get_nowait())
        return taken
