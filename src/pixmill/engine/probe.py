"""What a node of a cluster has to show before it gets work. What is shown is the caller's business; the engine carries it."""

from abc import ABC, abstractmethod


class Probe(ABC):
    """A question to every node, and the judgement of its answer.

    ``function`` is ``package.module:name`` of a function ``bytes -> bytes`` that is called on the node with ``options`` and
    returns evidence: once, before the node's workers are started. A ``PixmillError`` that it raises is a refusal, too.
    """

    function: str
    options: bytes

    @abstractmethod
    def check(self, evidence: bytes) -> None:
        """Return when ``evidence`` is good; raise ``RunError`` with what is wrong with the node. Called by the coordinator."""
