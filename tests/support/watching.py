"""A ``pixmill watch`` in a process of its own, followed by the events that it writes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-m", "pixmill", "watch", "in", "out", "--json", "--quiet", "--settle", "300ms", "--workers", "1")
DEADLINE = 60.0
Event = dict[str, Any]


class Watching:
    """A watcher of ``in`` that writes to ``out``, both in ``folder``, and the ``events`` that it has told of."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Start the watcher."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_")}
        self.process = subprocess.Popen(
            (*COMMAND, *options), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()

    def wait_for(self, is_there: Callable[[list[Event]], object]) -> list[Event]:
        """Wait until ``is_there(events)``, and return the events."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_there(self.events), DEADLINE):
                pytest.fail(f"it never happened: {self.events[-10:]} {self.process.poll()}")
            return list(self.events)

    def wait_until_finished(self, *keys: str, times: int = 1) -> Event:
        """Wait until each of ``keys`` has had ``times`` outcomes, and return the last one of the first."""
        self.wait_for(lambda _: all(len(self.outcomes(key)) >= times for key in keys))
        return self.outcomes(keys[0])[-1]

    def outcomes(self, key: str) -> list[Event]:
        """Return the outcomes of an image so far."""
        return [event for event in self.events if event["event"] == "task_finished" and event["key"] == key]

    def wait_until_idle(self) -> None:
        """Wait until everything that was there has been looked at."""
        self.wait_for(lambda events: Counter(event["event"] for event in events)["watch_caught_up"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait until the watcher has ended, and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self._reader.join()
        return code

    def end(self) -> None:
        """Kill the watcher if it is still there, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
