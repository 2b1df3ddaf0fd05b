"""How many cores this process may use, often fewer than the machine has."""

import math
import os
from pathlib import Path

from pixmill.engine.resources.cgroup import CGROUP_ROOT, read_text


def usable_cores(cgroup: Path = CGROUP_ROOT) -> int:
    """Return the number of cores that affinity and the CPU quota of the control group (both versions) allow, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, math.ceil(_quota(cgroup) or allowed)))


def _quota(cgroup: Path) -> float | None:
    """Return the quota in cores, ``None`` without a quota."""
    version_2 = read_text(cgroup / "cpu.max").split()
    version_1 = [
        *read_text(cgroup / "cpu/cpu.cfs_quota_us").split(),
        *read_text(cgroup / "cpu/cpu.cfs_period_us").split(),
    ]
    for words in (version_2, version_1):
        if len(words) == 2 and all(word.isdigit() and word != "0" for word in words):  # noqa: PLR2004  # quota and period
            return int(words[0]) / int(words[1])
    return None
