"""Tell whether a file system ignores the case of names, without writing to it."""

import os
from pathlib import Path

from pixmill.storage.local.inodes import real
from pixmill.storage.local.mounts import may_ignore_case, mounts


def ignores_case(path: Path) -> bool:
    """Return whether ``path`` is found under another case as well.

    If it does not exist, the file system of its nearest parent counts: by its type, which says whether it may ignore case, or by
    whether that parent is found under another case.
    """
    for each in (path, *path.absolute().parents):
        if os.path.exists(each):
            may = each != path and may_ignore_case(real(os.fsencode(each)), mounts())
            return may or _has_two_names(each)
    return False


def _has_two_names(path: Path) -> bool:
    other = path.with_name(path.name.swapcase()) if path.name else path  # the root has no name
    return other != path and os.path.exists(other) and os.path.samefile(path, other)
