"""The watched folder itself: whether it is still there, and still the same."""

import stat
from pathlib import Path

from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.planning.plan import Plan
from pixmill.batch.sources.directory import Directory
from pixmill.core.errors import AddressError
from pixmill.core.text import printable
from pixmill.storage.address import Address


def watched(plan: Plan) -> tuple[Directory, Path]:
    """Return the folder that ``plan`` takes images from, as a source and as a path; ``AddressError`` when it is anything else."""
    if plan.locations.dataset:
        raise AddressError("a dataset cannot be watched: its shards are sealed when a run ends", hint="name a folder as DST")
    source, path = plan.locations.source, plan.locations.source_root.local
    if not isinstance(source, Directory) or path is None or Address.parse(plan.config.source).local != path:
        message = f"SRC {printable(plan.config.source)} is not a folder of this machine, and only a folder can be watched"
        raise AddressError(message)
    return source, path


class Root:
    """Remembers which folder is at ``path``; another one under that name is not it, and one that lies in an output is none."""

    def __init__(self, path: Path, own: OwnFolders) -> None:
        """Look at what is there."""
        self._path = path
        self._own = own
        self._identity = self._look()

    def is_there(self) -> bool:
        """Tell whether it is still the same folder."""
        return self._identity is not None and self._look() == self._identity

    def has_returned(self) -> bool:
        """Tell whether there is a folder again, and remember it."""
        self._identity = self._look()
        return self._identity is not None

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        if self._own.find_output_above(bytes(self._path)):
            return None
        # a folder that was removed under a mount point or an open handle is still seen, but has no name any more
        return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) and status.st_nlink else None
