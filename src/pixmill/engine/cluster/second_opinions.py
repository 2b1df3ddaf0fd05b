"""Confirm failures on other nodes: one that the node itself may have caused is final only when another node reports the same.

A node whose failures are contradicted again and again, by nodes that complete the tasks, is sick.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from pixmill.engine.cluster.node import Node
from pixmill.engine.executor import Completed
from pixmill.engine.task import Attempt

_MIN_AGREEING_NODES = 2  # credible nodes that must report the same code
_MAX_NODES = 5  # nodes that try one attempt


class Opinion(msgspec.Struct, frozen=True):
    """A failure that a node reported. It ``counts`` if the node had completed the task before this one."""

    attempt: int
    code: str
    counts: bool
    completed: Completed | None = None


class SecondOpinions:
    """The opinions on tasks without an outcome, by task and by node. A node is identified by the name of its slot."""

    def __init__(self) -> None:
        """Start without any opinions."""
        self._opinions: dict[bytes, dict[str, Opinion]] = {}

    def on_result(self, node: Node, completed: Completed, code: str) -> None:
        """Record the opinion of ``node``: ``completed`` is a failure with this ``code``."""
        attempt = completed.attempt
        opinion = Opinion(attempt.number, code, node.is_credible, completed)
        self._opinions.setdefault(attempt.task.key, {})[node.slot.name] = opinion

    def on_loss(self, node: Node, attempt: Attempt, code: str) -> None:
        """Record that a worker of ``node`` was lost with ``attempt``: the next try should be made on another node."""
        if attempt.isolated:
            self._opinions.pop(attempt.task.key, None)
        else:
            self._opinions.setdefault(attempt.task.key, {})[node.slot.name] = Opinion(attempt.number, code, counts=False)

    def doubters(self, attempt: Attempt) -> Collection[str]:
        """Return the nodes that should not get ``attempt`` if another can take it."""
        return self._opinions.get(attempt.task.key, {}).keys()

    def decided(self, attempt: Attempt, nodes: Iterable[Node]) -> Completed | None:
        """Return the failure of ``attempt`` if it is final; ``None`` if another of ``nodes`` should try it first."""
        opinions = {
            name: opinion for name, opinion in self._opinions.get(attempt.task.key, {}).items() if opinion.attempt == attempt.number
        }
        last = next((opinion.completed for opinion in reversed(opinions.values()) if opinion.completed), None)
        if last is None:
            return None
        agreeing = Counter(opinion.code for opinion in opinions.values() if opinion.counts)
        is_final = (
            len(opinions) >= _MAX_NODES
            or _MIN_AGREEING_NODES in agreeing.values()
            or all(node.slot.name in opinions for node in nodes)
        )
        return last if is_final else None

    def close(self, attempt: Attempt) -> Collection[str]:
        """Discard all opinions on ``attempt``, which has an outcome; return the nodes that had failed it."""
        return self._opinions.pop(attempt.task.key, {}).keys()
