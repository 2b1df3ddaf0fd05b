"""Say what is to be done about an error of the operating system that nothing closer to it has translated."""

import errno

from pixmill.core.errors import RunError
from pixmill.core.text import printable

_CONTINUE = "then run the same command again: it continues where it stopped"
_DISK_FULL = f"free some space, or set TMPDIR to move temporary files to another disk; {_CONTINUE}"
_OPEN_FILES = f"raise the limit of open files (ulimit -n 4096), {_CONTINUE}"
_DEVICE = f"check the disk or the network drive, {_CONTINUE}"
_DENIED = f"give this user the permission, {_CONTINUE}"
_MEMORY = f"stop other programs or choose fewer --workers, {_CONTINUE}"
_HINTS = {
    errno.ENOSPC: _DISK_FULL, errno.EDQUOT: _DISK_FULL,
    errno.EMFILE: _OPEN_FILES, errno.ENFILE: _OPEN_FILES,
    errno.EIO: _DEVICE, errno.ESTALE: _DEVICE, errno.ETIMEDOUT: _DEVICE, errno.ENOTCONN: _DEVICE, errno.EHOSTDOWN: _DEVICE,
    errno.EINTR: "run the same command again: it continues where it stopped",
    errno.EROFS: f"mount it writable or choose another destination, {_CONTINUE}",
    errno.EACCES: _DENIED, errno.EPERM: _DENIED,
    errno.ENOMEM: _MEMORY, errno.EAGAIN: _MEMORY,
}  # fmt: skip


def system_error(error: BaseException) -> RunError | None:
    """Return the message for ``error`` if a machine can raise it anywhere and at any time; ``None`` if it may be our bug."""
    hint = _HINTS.get(error.errno or 0) if isinstance(error, OSError) else None
    if hint is None or not isinstance(error, OSError):
        return None
    reason = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = f"not enough disk space ({reason})"
    named = isinstance(error.filename, str | bytes)
    return RunError(f"{printable(error.filename)}: {reason}" if named else f"the system reported: {reason}", hint=hint)
