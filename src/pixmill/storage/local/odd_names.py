"""Tell whether a file system refuses characters in names (NTFS, exFAT, FAT, SMB)."""

import errno
import os
from pathlib import Path

from pixmill.core.operating_system import CLOSED_ON_EXEC, NO_FOLLOW
from pixmill.storage.local.inodes import real
from pixmill.storage.local.mounts import known_to_refuse_names, mounts

#: A plain name, and one with what is refused. If files of these names are there, a process that was killed left them.
PLAIN, ODD = b".pixmill-probe.tmp", b'.pixmill-?*|"<>:.tmp'
_OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


def refuses_odd_names(folder: Path, *, may_write: bool) -> bool:
    """Return whether a file with such a name cannot be created in ``folder``; if that does not exist, in its nearest parent.

    What the type of the file system does not tell is tried if the caller ``may_write``: both files are created and removed.
    """
    place = next((each for each in (folder, *folder.absolute().parents) if each.is_dir()), None)
    if place is None:
        return False
    known = known_to_refuse_names(real(os.fsencode(place)), mounts())
    if known is not None or not may_write:
        return bool(known)
    return _accepts(os.fsencode(place) + b"/" + PLAIN) and not _accepts(os.fsencode(place) + b"/" + ODD)


def _accepts(path: bytes) -> bool:
    """Return whether a file can be created at ``path``; a full or failing disk says nothing about names."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | NO_FOLLOW | CLOSED_ON_EXEC, 0o600))
        os.unlink(path)
    except OSError as error:
        return error.errno in _OUT_OF_ROOM
    return True
