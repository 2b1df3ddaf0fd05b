"""A computer of its own, as far as pixmill can see: a home for its state, and an address of the store."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 240  # seconds


class Machine:
    """Runs ``command`` with its state in ``home``, and the endpoint of its stores at ``endpoint``."""

    def __init__(self, command: Sequence[str], home: Path, endpoint: str) -> None:
        """Run nothing yet."""
        self.home = home
        self.home.mkdir(exist_ok=True)
        self.environment = {**os.environ, "XDG_STATE_HOME": str(home), "AWS_ENDPOINT_URL": endpoint}
        self._command = command
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *line: str) -> "subprocess.Popen[str]":
        """Start the command with these arguments."""
        process = subprocess.Popen(
            [*self._command, *line],
            env=self.environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return process

    def run(self, *line: str, code: int = 0) -> tuple[str, str]:
        """Run the command to its end; return what it printed."""
        process = self.start(*line)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, err
        return out, err

    def leave(self) -> None:
        """Kill what still runs: a test that failed left it."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
