"""Log failures to a file, one line each."""

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
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.observability.streams import is_stream, open_stream
from pixmill.engine.task import Failed

JSON_SUFFIXES = frozenset({".json", ".jsonl"})
MAX_LOG_BYTES = 10_000_000  # size at which the file is rotated
MAX_ROTATED_FILES = 5  # name.1 is the newest


class FailureLog(IgnoresUnchanged, Observer):
    """Appends to ``path``: JSON lines if it ends in ``.json`` or ``.jsonl``, else text. Each line is written at once.

    It writes one line for each failure, and one for each busy worker when the run stalls. A file that would grow beyond
    ``max_bytes`` becomes ``path.1``, the previous ``path.1`` becomes ``path.2``, and so on; ``max_files`` of them are kept.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_LOG_BYTES, max_files: int = MAX_ROTATED_FILES) -> None:
        """Open the file; ``ConfigError`` when that fails."""
        self._path = path
        self._is_stream = is_stream(path)
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._as_json = path.suffix.lower() in JSON_SUFFIXES
        with config_error_if_unwritable(path):
            self._file = self._open()

    def on_event(self, event: Event) -> None:
        """Write a line for a failed task, or one for each busy worker of a stalled run."""
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
        paths = [Path(os.path.realpath(self._path)), *rotated_files(self._path, self._max_files)]
        for newer, older in reversed(list(pairwise(paths))):
            with suppress(FileNotFoundError):
                newer.replace(older)
        self._file = self._open()


def rotated_files(path: Path, max_files: int = MAX_ROTATED_FILES) -> list[Path]:
    """Return the paths of rotated files, the newest first: beside the file that ``path`` resolves to."""
    target = Path(os.path.realpath(path))
    return [target.with_name(f"{target.name}.{number}") for number in range(1, max_files + 1)]


def _failure(at: float, failed: Failed) -> str:
    failure = failed.failure
    evidence = [f"attempts {failed.attempts}", f"{failed.seconds:.3f} s"]
    evidence += [f"signal {failure.signal}"] if failure.signal else []
    evidence += ["remembered"] if failed.remembered else []
    reason = f"{failure.code} in {failure.stage}" if failure.stage else failure.code
    hint = f"; {failure.hint}" if failure.hint else ""
    return printable(f"{_timestamp(at)} {printable(failed.task.key)}: {reason}: {failure.message}{hint} ({', '.join(evidence)})")


def _stall(event: RunStalled) -> list[str]:
    return [
        printable(
            f"{_timestamp(event.at)} {printable(status.key or b'')}: stalled in {status.stage or 'its handler'}: nothing has "
            f"finished for {event.seconds:.0f} s (running for {status.seconds:.1f} s, {status.location})"
        )
        for status in event.posts
    ]


def _timestamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
