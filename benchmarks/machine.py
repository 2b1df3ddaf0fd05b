"""Describes the machine, without which a measurement is meaningless."""

import os
import platform
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # benchmarks share tests/support


def describe() -> dict[str, str | int]:
    """Return the properties that determine the speed of a run: processor, usable cores, memory, file system, system, Python."""
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
    """Let every Python process that a benchmark starts cache its bytecode, as in an installation, whatever the environment says.

    Otherwise each process compiles all of its modules at every start, which takes most of the start-up time.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def processor() -> str:
    """Return the name of the processor with its vector instructions, which matter more than its clock rate."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"model name\s*:\s*(.+)", cpuinfo)
    flags = re.search(r"flags\s*:\s*(.+)", cpuinfo)
    features = set(flags[1].split()) if flags else set()
    vectors = [label for label, flag in (("AVX2", "avx2"), ("AVX-512", "avx512bw")) if flag in features]
    return ", ".join([name[1] if name else platform.machine(), *vectors])


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> str:
    """Return the memory of the machine."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def file_system(path: Path) -> str:
    """Return the type of the file system that contains ``path``; on some types fsync costs nothing."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    resolved = str(path.resolve())
    containing = [(point, kind) for point, kind in mounts if resolved == point or resolved.startswith(point.rstrip("/") + "/")]
    return max(containing, default=("", "unknown"), key=lambda mount: len(mount[0]))[1]
