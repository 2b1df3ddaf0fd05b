"""The watched folder itself: whether it still exists and is still the same folder."""

import stat
from pathlib import Path

from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.planning.plan import Plan
from pixmill.batch.sources.directory import Directory
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address


def watched_folder(plan: Plan) -> tuple[Directory, Path]:
    """Return the source folder of ``plan``, as a source and as a path; ``AddressError`` if the source is not a local folder."""
    if plan.locations.dataset:
        raise AddressError("watch cannot write a dataset: its shards are sealed when a run ends", hint="use a folder as DST")
    if len(plan.config.sources) > 1:
        message = f"watch takes one folder, received {len(plan.config.sources)} sources: {plan.config.source_text}"
        raise AddressError(message, hint="start one watch for each folder, each with its own DST")
    source, path = plan.locations.source, plan.locations.source_root.local
    if not isinstance(source, Directory) or path is None or Address.parse(plan.config.sources[0]).local != path:
        message = f"SRC {plan.config.source_text} is not a local folder: only local folders can be watched"
        raise AddressError(message)
    return source, path


class WatchedRoot:
    """Remembers the folder at ``path``. Another folder with that name does not count, nor does one inside an output."""

    def __init__(self, path: Path, own: OwnFolders) -> None:
        """Record the current folder."""
        self._path = path
        self._own = own
        self._identity = self._look()

    def is_there(self) -> bool:
        """Return whether it is still the same folder."""
        return self._identity is not None and self._look() == self._identity

    def has_returned(self) -> bool:
        """Return whether there is a folder again, and remember it."""
        self._identity = self._look()
        return self._identity is not None

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        if self._own.find_output_above(bytes(self._path)):
            return None
        # a folder that was removed while it is a mount point or open can still be read, but has no name any more
        return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) and status.st_nlink else None
