"""The folder for temporary files, and one error for a folder that cannot be used: full, missing or read-only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pixmill.core.errors import RunError
from pixmill.core.text import printable

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


def temporary_folder(prefix: str = "pixmill-") -> "TemporaryDirectory[str]":
    """Return a new folder for temporary files, removed at the end of its ``with`` block; ``RunError`` if it cannot be made."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415  # most runs need no such folder, and importing it takes a while

    with writing_temporaries():
        return TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)


@contextmanager
def writing_temporaries() -> Iterator[None]:
    """Translate an ``OSError`` about temporary files into a ``RunError`` with a remedy."""
    try:
        yield
    except OSError as error:
        raise _unusable_folder(error) from error


def _unusable_folder(error: OSError) -> RunError:
    """Return the ``RunError`` for ``error``, which came from the folder for temporary files."""
    import tempfile  # noqa: PLC0415  # as above

    folder = tempfile.tempdir or os.environ.get("TMPDIR", "")
    with suppress(OSError):
        folder = tempfile.gettempdir()
    reason = error.strerror or str(error)
    location = f" in {printable(folder)}" if folder and folder not in reason else ""
    return RunError(
        f"temporary files cannot be written{location}: {reason}",
        code="temporary-files",
        hint="set TMPDIR to a folder with free space (TMPDIR=/path/to/folder), then run the same command again",
    )
