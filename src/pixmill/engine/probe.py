"""A check that a node of a cluster must pass before it gets work. The caller defines the check; the engine only transports it."""

from abc import ABC, abstractmethod


class Probe(ABC):
    """A function that every node runs, and a check of the evidence that it returns.

    ``function`` is ``package.module:name`` of a function ``bytes -> bytes``. It is called on the node with ``options`` once, before
    the node's workers start, and returns evidence. If it raises a ``PixmillError``, the node is rejected too.
    """

    function: str
    options: bytes

    @abstractmethod
    def check(self, evidence: bytes) -> None:
        """Return if ``evidence`` is good; raise ``RunError`` with the node's problem if not. Called by the coordinator."""
