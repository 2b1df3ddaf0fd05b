"""The attempts whose handlers left a decision to the coordinator, such as on the names of outputs.

The task of such an attempt is resolved, and the attempt continues with it: for the ledger, the limits and the suspects it is one.
"""

from collections.abc import Callable, Sequence

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.task import Attempt, Task

#: called with tasks and what their handlers found; returns the tasks to send instead, with the same ids and keys, in order
Resolve = Callable[[Sequence[tuple[Task, bytes]]], Sequence[Task]]


class Deferrals:
    """Collects deferred attempts, so that those which arrive together are resolved together."""

    def __init__(self, resolve: Resolve | None) -> None:
        """Start empty."""
        self._resolve = resolve
        self._found: list[tuple[Attempt, bytes]] = []
        self._continued: set[bytes] = set()

    def add(self, attempt: Attempt, finding: bytes) -> None:
        """Add an attempt and what its handler found."""
        self._found.append((attempt, finding))

    def take(self) -> list[Attempt]:
        """Resolve the tasks of the attempts, and return these with the tasks to send instead."""
        found, self._found = self._found, []
        if not found:
            return []
        if self._resolve is None:
            raise RunError("the handler deferred a task, but nothing can resolve it", code="handler")
        tasks = self._resolve([(attempt.task, finding) for attempt, finding in found])
        self._continued.update(task.key for task in tasks)
        return [msgspec.structs.replace(attempt, task=task) for (attempt, _), task in zip(found, tasks, strict=True)]

    def begin(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Return those of ``attempts`` that begin now; the others continue."""
        if not self._continued:
            return list(attempts)
        begun = [attempt for attempt in attempts if attempt.task.key not in self._continued]
        self._continued.difference_update(attempt.task.key for attempt in attempts)
        return begun
