"""Files of the control groups (cgroups) around this process, and of ``/proc``."""

from pathlib import Path

#: where the control groups of both versions are mounted
CGROUP_ROOT = Path("/sys/fs/cgroup")


def read_text(path: Path) -> str:
    """Return the content of the file, an empty string if it cannot be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the number that the file holds; ``None`` for ``max``, another text, or a file that cannot be read."""
    text = read_text(path).strip()
    return int(text) if text.isdigit() else None
