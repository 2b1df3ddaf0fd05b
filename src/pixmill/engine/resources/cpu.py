"""How many cores this process may use, which is often fewer than the machine has."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Return the number of cores by affinity and by the CPU quota of the control group (both versions), at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, math.ceil(_quota(cgroup) or allowed)))


def _quota(cgroup: Path) -> float | None:
    """Return the cores that the quota amounts to, ``None`` without a quota."""
    version_2 = _words(cgroup / "cpu.max")
    version_1 = _words(cgroup / "cpu/cpu.cfs_quota_us") + _words(cgroup / "cpu/cpu.cfs_period_us")
    for words in (version_2, version_1):
        if len(words) == 2 and all(word.isdigit() and word != "0" for word in words):  # noqa: PLR2004  # quota and period
            return int(words[0]) / int(words[1])
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
