"""The folder for temporary files, and one sentence where it cannot be used: it is full, missing or read-only."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory

from pixmill.core.errors import RunError
from pixmill.core.text import printable


def temporary_folder(prefix: str = "pixmill-") -> "TemporaryDirectory[str]":
    """Return a new folder for temporary files, which goes at the end of its block; ``RunError`` when it cannot be made."""
    with writing_temporaries():
        return TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)


@contextmanager
def writing_temporaries() -> Iterator[None]:
    """Turn what the system says against temporary files into a ``RunError`` that says what to do."""
    try:
        yield
    except OSError as error:
        raise unusable(error) from error


def unusable(error: OSError) -> RunError:
    """Return what ``error`` means: it came from the folder for temporary files."""
    asked = tempfile.tempdir or os.environ.get("TMPDIR", "")
    with suppress(OSError):
        asked = tempfile.gettempdir()
    reason = error.strerror or str(error)
    place = f" in {printable(asked)}" if asked and asked not in reason else ""
    return RunError(
        f"temporary files cannot be written{place}: {reason}",
        code="temporary-files",
        hint="name a folder that has room with the variable TMPDIR (TMPDIR=/path/to/folder), and run the same command again",
    )
