"""Where the state of an output is kept when nobody says where: with the output, or on this machine for one that is elsewhere."""

import os
import re
from hashlib import blake2b
from pathlib import Path

from pixmill.storage.address import Address

FOLDER = ".pixmill"
RUNS = "runs"  # the folder in it with a file for each run
RUN_FILE_INTERVAL = 10.0  # seconds between two writes of it
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_SHOWN = 80  # characters of the address in the name of its folder: for people; the digest tells addresses apart


def default_state(destination: Address) -> Path:
    """Return the folder of the state: ``.pixmill`` in a local destination, else one named after the address in the state home.

    The state home is that of the XDG base directories: ``$XDG_STATE_HOME/pixmill``, by default ``~/.local/state/pixmill``.
    """
    if destination.local:
        return destination.local / FOLDER
    url = destination.url.rstrip("/")
    digest = blake2b(url.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    return _home() / f"{_ODD.sub('-', url).strip('-')[:_SHOWN]}-{digest}"


def _home() -> Path:
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state"  # noqa: PTH117  # the specification says: ignore others
    return home / "pixmill"
