"""Shared by exporters: atomic text files, and named errors for files that cannot be written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from pixmill.core.errors import ConfigError, RunError
from pixmill.core.text import printable
from pixmill.engine.observability.streams import is_stream, open_stream


@contextmanager
def atomic_text_file(path: Path) -> Iterator[TextIO]:
    """Open a text file (UTF-8) that replaces ``path`` at the end of the block, completely or not at all.

    If ``path`` is a link, its target is replaced; a device or a pipe is written to directly.
    """
    if is_stream(path):
        with open_stream(path, wait=False) as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # from a dead process with this number, or a link planted by another user
        with temporary.open("x", encoding="utf-8") as file:
            yield file
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def config_error_if_unwritable(path: Path) -> Iterator[None]:
    """Turn an error about a file that the user named into a ``ConfigError``: nothing has run yet."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{printable(path)} cannot be written: {error.strerror}", hint="name another file") from error


@contextmanager
def run_error_if_unwritable(path: Path) -> Iterator[None]:
    """Turn an error in writing to ``path`` into a ``RunError``: a run that cannot write its records must not go on."""
    try:
        yield
    except OSError as error:
        message = f"{printable(path)} can no longer be written: {error.strerror}"
        raise RunError(
            message, code="export", hint="free some space, or name another file, and run the same command again"
        ) from error
