"""One line a failure, in a file that outlives the terminal."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from pixmill.core.events import Event, Observer
from pixmill.core.text import printable
from pixmill.engine.events import RunStalled, TaskFinished
from pixmill.engine.observability.files import config_error_if_unwritable, run_error_if_unwritable
from pixmill.engine.observability.json_lines import json_line
from pixmill.engine.observability.streams import is_stream, open_stream
from pixmill.engine.task import Failed

JSON_SUFFIXES = frozenset({".json", ".jsonl"})
MAX_LOG_BYTES = 10_000_000  # bytes, before the file is put aside and a new one begun
ROTATIONS = 5  # files put aside: name.1 is the youngest


class FailureLog(Observer):
    """Appends to ``path``: JSON lines when it ends in ``.json`` or ``.jsonl``, else text. Each line is there at once.

    One line for a failure, one for each worker when nothing finishes any more. A file that would grow beyond ``largest`` bytes
    becomes ``path.1``, what was that ``path.2``, and so on; ``kept`` of them are.
    """

    def __init__(self, path: Path, *, largest: int = MAX_LOG_BYTES, kept: int = ROTATIONS) -> None:
        """Open the file; ``ConfigError`` when it cannot be."""
        self._path = path
        self._is_stream = is_stream(path)
        self._max_bytes = largest
        self._kept = kept
        self._as_json = path.suffix.lower() in JSON_SUFFIXES
        with config_error_if_unwritable(path):
            self._file = self._open()

    def on_event(self, event: Event) -> None:
        """Write a line when a task has failed, or when nothing finishes."""
        if isinstance(event, TaskFinished) and isinstance(event.outcome, Failed):
            self._write([json_line(event)] if self._as_json else [_failure(event.at, event.outcome)])
        elif isinstance(event, RunStalled):
            self._write([json_line(event)] if self._as_json else _stall(event))

    def close(self) -> None:
        """Close the file."""
        with run_error_if_unwritable(self._path):
            self._file.close()

    def _open(self) -> TextIO:
        if self._is_stream:
            return open_stream(self._path)
        return self._path.open("a", encoding="utf-8", buffering=1)

    def _write(self, lines: list[str]) -> None:
        text = "".join(f"{each}\n" for each in lines)
        with run_error_if_unwritable(self._path):
            size = 0 if self._is_stream else self._file.tell()
            if size and size + len(text.encode()) > self._max_bytes:
                self._rotate()
            self._file.write(text)

    def _rotate(self) -> None:
        self._file.close()
        places = [Path(os.path.realpath(self._path)), *rotated_files(self._path, self._kept)]
        for younger, older in reversed(list(pairwise(places))):
            with suppress(FileNotFoundError):
                younger.replace(older)
        self._file = self._open()


def rotated_files(path: Path, kept: int = ROTATIONS) -> list[Path]:
    """Return where files that were put aside are, the youngest first: beside the file that ``path`` leads to."""
    target = Path(os.path.realpath(path))
    return [target.with_name(f"{target.name}.{number}") for number in range(1, kept + 1)]


def _failure(at: float, failed: Failed) -> str:
    failure = failed.failure
    evidence = [f"attempts {failed.attempts}", f"{failed.seconds:.3f} s"]
    evidence += [f"signal {failure.signal}"] if failure.signal else []
    evidence += ["remembered"] if failed.remembered else []
    place = f"{failure.code} in {failure.stage}" if failure.stage else failure.code
    hint = f"; {failure.hint}" if failure.hint else ""
    return printable(f"{_when(at)} {printable(failed.task.key)}: {place}: {failure.message}{hint} ({', '.join(evidence)})")


def _stall(event: RunStalled) -> list[str]:
    return [
        printable(
            f"{_when(event.at)} {printable(post.key or b'')}: stalled in {post.stage or 'its handler'}: nothing has finished for "
            f"{event.seconds:.0f} s (at it for {post.seconds:.1f} s, {post.location})"
        )
        for post in event.posts
    ]


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
