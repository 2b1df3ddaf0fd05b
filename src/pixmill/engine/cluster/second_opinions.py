"""What nodes say of tasks that fail where they are: a failure that may be the node's is final only when another says the same.

A node whose word is contradicted, by one that does the task, again and again is sick.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from pixmill.engine.cluster.node import Node
from pixmill.engine.executor import Completed
from pixmill.engine.task import Attempt

_AGREED = 2  # nodes in good health that must say the same
_MAX_NODES = 5  # nodes that are asked for their word on one attempt


class Report(msgspec.Struct, frozen=True):
    """What a node has said. It ``counts`` if the node had done the task before this one."""

    attempt: int
    code: str
    counts: bool
    answer: Completed | None = None


class SecondOpinions:
    """The words on tasks that have no end yet, by task and by node. A node is known by the name of its site."""

    def __init__(self) -> None:
        """Nobody has said anything."""
        self._words: dict[bytes, dict[str, Report]] = {}

    def on_result(self, node: Node, answer: Completed, code: str) -> None:
        """Take the word of ``node``: ``answer`` is a failure with this ``code``."""
        attempt = answer.attempt
        word = Report(attempt.number, code, node.is_credible, answer)
        self._words.setdefault(attempt.task.key, {})[node.site.name] = word

    def on_loss(self, node: Node, attempt: Attempt, code: str) -> None:
        """Note that a worker of ``node`` was lost with ``attempt``: the next try is better made elsewhere."""
        if attempt.isolated:
            self._words.pop(attempt.task.key, None)
        else:
            self._words.setdefault(attempt.task.key, {})[node.site.name] = Report(attempt.number, code, counts=False)

    def doubters(self, attempt: Attempt) -> Collection[str]:
        """Return the nodes that should not get ``attempt`` if another can have it."""
        return self._words.get(attempt.task.key, {}).keys()

    def decided(self, attempt: Attempt, nodes: Iterable[Node]) -> Completed | None:
        """Return the failure of ``attempt`` if it is final; ``None`` if another of ``nodes`` is to be asked."""
        words = {name: word for name, word in self._words.get(attempt.task.key, {}).items() if word.attempt == attempt.number}
        last = next((word.answer for word in reversed(words.values()) if word.answer), None)
        if last is None:
            return None
        agreed = Counter(word.code for word in words.values() if word.counts)
        is_final = len(words) >= _MAX_NODES or _AGREED in agreed.values() or all(node.site.name in words for node in nodes)
        return last if is_final else None

    def close(self, attempt: Attempt) -> Collection[str]:
        """Forget all that was said of ``attempt``, which has an end; return the nodes that had failed it."""
        return self._words.pop(attempt.task.key, {}).keys()
