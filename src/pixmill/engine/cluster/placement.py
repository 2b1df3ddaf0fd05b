"""Which sites are to have a host: those that are there, but for the ones that were refused or that must rest."""

from collections.abc import Iterable, Iterator

from pixmill.core.errors import RunError
from pixmill.engine.cluster.backend import NodeSlot

#: seconds between two looks at the cluster, and before a site that was lost is tried again
_LOOK, _COOL_DOWN = 2.0, 10.0


class Placement:
    """Remembers what became of sites. ``wanted`` cores are to be had in all; ``None`` for every one that is given."""

    def __init__(self, wanted: int | None) -> None:
        """Know nothing yet."""
        self.rejected: dict[str, RunError] = {}
        self._wanted = wanted
        self._cool_downs: dict[str, float] = {}
        self._next_look = 0.0
        self._known: tuple[NodeSlot, ...] = ()

    def is_due(self, now: float) -> bool:
        """Return whether to look at the cluster again; the next time is later then."""
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK
        return True

    def free_slots(self, sites: Iterable[NodeSlot], taken: dict[str, int], now: float) -> Iterator[tuple[NodeSlot, int]]:
        """Yield where to hire, and for how many cores. ``taken`` are those of sites that have a host."""
        self._known = tuple(sites)
        left = None if self._wanted is None else self._wanted - sum(taken.values())
        for site in self._known:
            if site.name in taken or site.name in self.rejected or now < self._cool_downs.get(site.name, 0.0):
                continue
            cores = site.cores if left is None else min(site.cores, left)
            if cores < 1:
                continue
            left = None if left is None else left - cores
            yield site, cores

    def cool_down(self, site: NodeSlot, now: float) -> None:
        """Leave ``site`` alone for a while: its host was lost."""
        self._cool_downs[site.name] = now + _COOL_DOWN

    def reject(self, site: NodeSlot, reason: RunError) -> None:
        """Leave ``site`` alone for the rest of the run."""
        self.rejected[site.name] = RunError(f"node {site.label} is refused: {reason.message}", hint=reason.hint, code=reason.code)

    @property
    def is_exhausted(self) -> bool:
        """Whether every site that there is has been refused."""
        return bool(self._known) and all(site.name in self.rejected for site in self._known)

    def error(self) -> RunError:
        """Return why there is nobody left to work, node by node, in the same order whoever answered first."""
        reasons = [self.rejected[name] for name in sorted(self.rejected)]
        hints = dict.fromkeys(reason.hint for reason in reasons if reason.hint)
        return RunError("; ".join(reason.message for reason in reasons), hint="; ".join(hints), code=reasons[0].code)
