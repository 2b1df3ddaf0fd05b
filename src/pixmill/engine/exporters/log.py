"""One line a failure, in a file that outlives the terminal."""

from datetime import UTC, datetime
from pathlib import Path

from pixmill.core.events import Event, Observer
from pixmill.core.text import printable
from pixmill.engine.events import TaskFinished
from pixmill.engine.exporting import line, opening, writing
from pixmill.engine.task import Failed

JSON_SUFFIXES = frozenset({".json", ".jsonl"})


class FailureLog(Observer):
    """Appends to ``path``: JSON lines when it ends in ``.json`` or ``.jsonl``, else text. Each line is there at once."""

    def __init__(self, path: Path) -> None:
        """Open the file; ``ConfigError`` when it cannot be."""
        self._path = path
        self._as_json = path.suffix.lower() in JSON_SUFFIXES
        with opening(path):
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def notice(self, event: Event) -> None:
        """Write a line when a task has failed."""
        if isinstance(event, TaskFinished) and isinstance(event.outcome, Failed):
            text = line(event) if self._as_json else _sentence(event.at, event.outcome)
            with writing(self._path):
                self._file.write(text + "\n")

    def close(self) -> None:
        """Close the file."""
        with writing(self._path):
            self._file.close()


def _sentence(at: float, failed: Failed) -> str:
    failure = failed.failure
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    evidence = [f"attempts {failed.attempts}", f"{failed.seconds:.3f} s"]
    evidence += [f"signal {failure.signal}"] if failure.signal else []
    evidence += ["remembered"] if failed.remembered else []
    place = f"{failure.code} in {failure.stage}" if failure.stage else failure.code
    hint = f"; {failure.hint}" if failure.hint else ""
    return printable(f"{when} {printable(failed.task.key)}: {place}: {failure.message}{hint} ({', '.join(evidence)})")
