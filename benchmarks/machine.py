"""Describe the machine: a figure means nothing without it."""

import os
import platform
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # what benchmarks share with tests is in tests/support


def describe() -> dict[str, str | int]:
    """Return what decides how fast a run is here: processor, cores that may be used, memory, system, Python."""
    return {
        "processor": processor(),
        "cores": cores(),
        "memory": memory(),
        "file_system": file_system(Path(os.environ.get("TMPDIR", "/tmp"))),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def keep_bytecode() -> None:
    """Have every Python that we start keep what it compiles, as it does where something is installed, whatever is said here.

    Else each process compiles all of its modules at each start, which takes more than anything else that it does then.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def processor() -> str:
    """Return the name of the processor with its vector instructions, which decide more than its clock."""
    try:
        about = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"model name\s*:\s*(.+)", about)
    flags = re.search(r"flags\s*:\s*(.+)", about)
    has = set(flags[1].split()) if flags else set()
    vectors = [label for label, flag in (("AVX2", "avx2"), ("AVX-512", "avx512bw")) if flag in has]
    return ", ".join([name[1] if name else platform.machine(), *vectors])


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> str:
    """Return the memory of the machine."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def file_system(path: Path) -> str:
    """Return the type of the file system that holds ``path``: a fsync costs nothing on some."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    whole = str(path.resolve())
    holding = [(point, kind) for point, kind in mounts if whole == point or whole.startswith(point.rstrip("/") + "/")]
    return max(holding, default=("", "unknown"), key=lambda mount: len(mount[0]))[1]
