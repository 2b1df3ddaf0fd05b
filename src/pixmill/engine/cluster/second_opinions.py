"""Confirm failures on other nodes: one that the node itself may have caused is final only when another node reports the same.

Nodes on one host share its mounts and its libraries: they confirm each other only when no other host is left to try.
A node whose failures are contradicted again and again, by nodes that complete the tasks, is sick.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from pixmill.engine.cluster.backend import NodeSlot
from pixmill.engine.cluster.node import Node
from pixmill.engine.executor import Completed
from pixmill.engine.task import Attempt

_MIN_AGREEING_HOSTS = 2  # hosts with a credible node that must report the same code; nodes, if there is only one host
_MAX_HOSTS = 5  # hosts that try one attempt


class Opinion(msgspec.Struct, frozen=True):
    """A failure that a node on ``host`` reported. It ``counts`` if the node had completed the task before this one."""

    host: str
    attempt: int
    code: str
    counts: bool
    completed: Completed | None = None


class SecondOpinions:
    """The opinions on tasks without an outcome, by task and by node. A node is identified by its slot."""

    def __init__(self) -> None:
        """Start without any opinions."""
        self._opinions: dict[bytes, dict[NodeSlot, Opinion]] = {}

    def on_result(self, node: Node, completed: Completed, code: str) -> None:
        """Record the opinion of ``node``: ``completed`` is a failure with this ``code``."""
        attempt = completed.attempt
        opinion = Opinion(node.slot.host, attempt.number, code, node.is_credible, completed)
        self._opinions.setdefault(attempt.task.key, {})[node.slot] = opinion

    def on_loss(self, node: Node, attempt: Attempt, code: str) -> None:
        """Record that a worker of ``node`` was lost with ``attempt``: the next try should be made on another node."""
        if attempt.isolated:
            self._opinions.pop(attempt.task.key, None)
        else:
            opinion = Opinion(node.slot.host, attempt.number, code, counts=False)
            self._opinions.setdefault(attempt.task.key, {})[node.slot] = opinion

    def doubters(self, attempt: Attempt) -> Collection[NodeSlot]:
        """Return the slots whose hosts should not get ``attempt`` if another can take it."""
        return self._opinions.get(attempt.task.key, {}).keys()

    def decided(self, attempt: Attempt, nodes: Iterable[Node]) -> Completed | None:
        """Return the failure of ``attempt`` if it is final; ``None`` if another of ``nodes`` should try it first."""
        opinions = {
            slot: opinion for slot, opinion in self._opinions.get(attempt.task.key, {}).items() if opinion.attempt == attempt.number
        }
        last = next((opinion.completed for opinion in reversed(opinions.values()) if opinion.completed), None)
        if last is None:
            return None
        hosts = {opinion.host for opinion in opinions.values()}
        left = [node for node in nodes if node.slot not in opinions]
        if any(node.slot.host not in hosts for node in left):
            agreeing = Counter(code for _, code in {(each.host, each.code) for each in opinions.values() if each.counts})
            is_final = len(hosts) >= _MAX_HOSTS
        else:
            agreeing = Counter(opinion.code for opinion in opinions.values() if opinion.counts)
            is_final = not left or len(opinions) >= _MAX_HOSTS
        is_final = is_final or max(agreeing.values(), default=0) >= _MIN_AGREEING_HOSTS
        return last if is_final else None

    def close(self, attempt: Attempt) -> Collection[NodeSlot]:
        """Discard all opinions on ``attempt``, which has an outcome; return the slots that had failed it."""
        return self._opinions.pop(attempt.task.key, {}).keys()
