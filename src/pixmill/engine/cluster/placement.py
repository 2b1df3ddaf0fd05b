"""Choose the slots for node agents: every slot of the cluster, except rejected ones and those that are cooling down."""

from collections.abc import Iterable, Iterator

from pixmill.core.errors import RunError
from pixmill.core.humanize import plural
from pixmill.engine.cluster.backend import NodeSlot

_REFRESH_INTERVAL = 2.0  # seconds between two listings of the cluster's slots
_MAX_NAMED = 10  # nodes in one sentence
_COOL_DOWN = 10.0  # seconds before a slot whose agent was lost is tried again


class Placement:
    """Remembers rejected and lost slots. ``wanted``: the total number of cores to use; ``None`` for all that are offered."""

    def __init__(self, wanted: int | None) -> None:
        """Start without any slots."""
        self.rejected: dict[str, tuple[str, RunError]] = {}
        self._wanted = wanted
        self._cool_downs: dict[str, float] = {}
        self._next_refresh = 0.0
        self._slots: tuple[NodeSlot, ...] = ()

    def is_due(self, now: float) -> bool:
        """Return whether to list the cluster's slots again; if so, schedule the next time."""
        if now < self._next_refresh:
            return False
        self._next_refresh = now + _REFRESH_INTERVAL
        return True

    def free_slots(self, slots: Iterable[NodeSlot], used_cores: dict[str, int], now: float) -> Iterator[tuple[NodeSlot, int]]:
        """Yield the slots in which to start an agent, with the number of cores for each.

        ``used_cores`` has the cores of the slots that have an agent, by name.
        """
        self._slots = tuple(slots)
        remaining = None if self._wanted is None else self._wanted - sum(used_cores.values())
        for slot in self._slots:
            if slot.name in used_cores or slot.name in self.rejected or now < self._cool_downs.get(slot.name, 0.0):
                continue
            cores = slot.cores if remaining is None else min(slot.cores, remaining)
            if cores < 1:
                continue
            remaining = None if remaining is None else remaining - cores
            yield slot, cores

    def cool_down(self, slot: NodeSlot, now: float) -> None:
        """Do not use ``slot`` for a while: its agent was lost."""
        self._cool_downs[slot.name] = now + _COOL_DOWN

    def reject(self, slot: NodeSlot, reason: RunError) -> None:
        """Do not use ``slot`` for the rest of the run."""
        self.rejected[slot.name] = (slot.label, reason)

    @property
    def is_exhausted(self) -> bool:
        """Whether every slot has been rejected."""
        return bool(self._slots) and all(slot.name in self.rejected for slot in self._slots)

    def error(self) -> RunError:
        """Return why no node is left, with a reason for each, in an order that does not depend on which answered first.

        Nodes with the same reason are named together.
        """
        rejected = [self.rejected[name] for name in sorted(self.rejected)]
        groups: dict[str, dict[str, None]] = {}
        for label, reason in rejected:
            groups.setdefault(reason.message, {})[label] = None
        messages = [f"{_named(list(labels))} refused: {message}" for message, labels in groups.items()]
        hints = dict.fromkeys(reason.hint for _, reason in rejected if reason.hint)
        return RunError("; ".join(messages), hint="; ".join(hints), code=rejected[0][1].code)


def _named(labels: list[str]) -> str:
    """Return the subject of a sentence about these nodes, and its verb."""
    first, others = ", ".join(labels[:_MAX_NAMED]), len(labels) - _MAX_NAMED
    more = f" and {plural(others, 'other')}" if others > 0 else ""
    return f"node {first} is" if len(labels) == 1 else f"nodes {first}{more} are"
