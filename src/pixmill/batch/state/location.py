"""The default location of an output's state: in the output itself, or on this machine if the output is in a store."""

import os
import re
from hashlib import blake2b
from pathlib import Path

from pixmill.storage.address import Address

FOLDER = ".pixmill"
RUNS = "runs"  # the folder in it with a file for each run
REPORT = "report.html"  # the default name of the report in it
RUN_FILE_INTERVAL = 10.0  # seconds between writes of that file
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_ADDRESS_LENGTH = 80  # characters of the address in the folder name, for readability; the digest makes the name unique


def default_state(destination: Address) -> Path:
    """Return the state folder: ``.pixmill`` in a local destination, otherwise a folder in the state home, named after the address.

    The state home follows the XDG Base Directory Specification: ``$XDG_STATE_HOME/pixmill``, by default ``~/.local/state/pixmill``.
    """
    if destination.local:
        return destination.local / FOLDER
    url = destination.url.rstrip("/")
    digest = blake2b(url.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    return _state_home() / f"{_UNSAFE.sub('-', url).strip('-')[:_MAX_ADDRESS_LENGTH]}-{digest}"


def _state_home() -> Path:
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state"  # noqa: PTH117  # the specification: ignore relative paths
    return home / "pixmill"
