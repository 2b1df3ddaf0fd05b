"""The identity of an output: a file in its state folder that tells it from all others, whatever path it is mounted at."""

import os
import re
import secrets
from pathlib import Path

from pixmill.batch.statehome import FOLDER

FILE = "output-id"
_LENGTH = 32  # hexadecimal digits
_PATTERN = re.compile(rb"[0-9a-f]{%d}\n?" % _LENGTH)


def identity_of(output: Path) -> str:
    """Return the identity of the output in the folder ``output``; empty where there is none that can be read."""
    return _read(output / FOLDER / FILE)


def ensure_identity(state: Path) -> str:
    """Return the identity that is in the state folder ``state``, made now if it has none. The caller holds the lock."""
    known = _read(state / FILE)
    if known:
        return known
    made = secrets.token_hex(_LENGTH // 2)
    temporary = state / f".{FILE}.tmp"
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{made}\n")
    temporary.replace(state / FILE)
    return made


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        found = file.read(_LENGTH + 2)
    return found.decode("ascii").strip() if _PATTERN.fullmatch(found) else ""
