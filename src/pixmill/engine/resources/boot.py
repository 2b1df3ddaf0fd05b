"""Which start of the machine this is."""

import subprocess
from contextlib import suppress
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYSCTL = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")  # macOS
_TIMEOUT = 2.0


def boot_id(path: Path = _BOOT_ID) -> str:
    """Return an identifier that changes with every start of the machine; empty where the system has none.

    A container has that of its host.
    """
    with suppress(OSError):
        return path.read_text().strip()
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(_SYSCTL, capture_output=True, text=True, check=True, timeout=_TIMEOUT).stdout.strip()  # noqa: S603  # fixed
    return ""
