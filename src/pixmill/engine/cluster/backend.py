"""What a cluster engine has to offer: places for hosts, and a way to write to them. The contract of every fleet."""

import queue
from abc import ABC, abstractmethod
from contextlib import suppress

import msgspec

#: what a host has replied, or how it failed to, with the number of the host
Received = tuple[int, bytes | Exception]


class NodeSlot(msgspec.Struct, frozen=True):
    """A place where a host may be put: ``name`` is the engine's own, unique for ever; ``label`` is for people.

    ``cores`` is how many the engine gives away there.
    """

    name: str
    label: str
    cores: int


class ClusterBackend(ABC):
    """Hosts at sites, told apart by the number under which they were hired; a number is never used again.

    A letter has one reply, and a host has at most one letter at a time. No method waits for a host, except ``receive``.
    """

    @abstractmethod
    def sites(self) -> list[NodeSlot]:
        """Return where a host may be put now. Asked every few seconds."""

    @abstractmethod
    def start_agent(self, number: int, site: NodeSlot, cores: int) -> None:
        """Have a ``NodeAgent`` started at ``site``, with ``cores`` cores set aside. Its ``handshake`` comes by ``receive``."""

    @abstractmethod
    def send(self, number: int, letter: bytes) -> None:
        """Give ``letter`` to the ``handle`` of a host that has said hello."""

    @abstractmethod
    def receive(self, timeout: float) -> list[Received]:
        """Return what hosts have replied, or how they failed to, waiting up to ``timeout`` seconds for the first."""

    @abstractmethod
    def drop(self, number: int) -> None:
        """Have a host ended, if it is still there and can be reached; nothing more is received of it."""

    @abstractmethod
    def close(self) -> None:
        """End all hosts, and let go of the cluster: end it, too, if it was started for this fleet."""


class ReplyQueue:
    """Where the threads of a fleet put what hosts have replied, until ``ClusterBackend.receive`` takes it out."""

    def __init__(self) -> None:
        """Begin empty."""
        self._replies: queue.SimpleQueue[Received] = queue.SimpleQueue()

    def put(self, number: int, reply: bytes | Exception) -> None:
        """Put in the reply of the host ``number``."""
        self._replies.put((number, reply))

    def take(self, timeout: float) -> list[Received]:
        """Take out all there is, waiting up to ``timeout`` seconds for the first."""
        taken = []
        with suppress(queue.Empty):
            taken.append(self._replies.get(timeout=timeout) if timeout > 0 else self._replies.get_nowait())
            while True:
                taken.append(self._replies.get_nowait())
        return taken
