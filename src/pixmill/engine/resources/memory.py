"""How much memory a run may use, and which part of it a single try."""

import os
import resource
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pixmill.engine.task import Attempt

#: what the coordinator and the nursery use between them, and what a worker uses before its first task, in bytes
OVERHEAD, IDLE_WORKER = 130_000_000, 60_000_000
#: bytes that each of several workers to a core should have to itself: as much as most pictures need
BYTES_PER_WORKER = 512_000_000
_CGROUP = Path("/sys/fs/cgroup")
_USABLE_SHARE = 0.8  # of what there is: the page cache and the machine's other programs want some


class MemoryBudget:
    """Divides ``total`` bytes (``None``: most of what there is) among ``workers`` tries at a time."""

    def __init__(self, total: int | None, workers: int) -> None:
        """Set the overhead aside; a total that does not even hold that leaves each try a token byte, and all are refused."""
        spare = (total or int(usable_memory() * _USABLE_SHARE)) - OVERHEAD
        self._share = max(1, spare // workers)
        #: what a try may use when nothing else runs
        self.most = max(self._share, spare - (workers - 1) * IDLE_WORKER)

    def with_share(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Return ``attempts``, each with its share."""
        return [replace(attempt, memory=self._share, exclusive=False) for attempt in attempts]

    def with_all(self, attempt: Attempt) -> Attempt:
        """Return ``attempt`` with all that there is."""
        return replace(attempt, memory=self.most, exclusive=True)


def workers_within_memory(cores: int, per_core: int, memory: int) -> int:
    """Return how many workers to start on ``cores`` cores: ``per_core`` each where ``memory`` bytes have room for them."""
    return max(cores, min(per_core * cores, memory // BYTES_PER_WORKER))


def usable_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes that this machine has, or its control group (both versions) when that has fewer."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (cgroup / name).read_text().strip()
        except OSError:
            continue
        sizes += [int(text)] if text.isdigit() else []
    return min(sizes)


def resident_memory() -> int:
    """Return the resident memory of this process in bytes; its peak where the present value has no cheap source."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  # pathlib costs more than the read
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
