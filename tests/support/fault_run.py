"""Runs of the real command into one output folder under injected faults; checks every invariant after every run."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from support import invariants
from support.processes import of_session, wait_until

COMMAND = (sys.executable, "-m", "pixmill")
BYSTANDER = ".pixmill-notes.tmp"  # looks like a temporary file of pixmill, but is not
PATIENCE = 240.0
DONE, SOME_FAILED, MISUSED, STOPPED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
NORMAL = {DONE, SOME_FAILED}


class Ended(msgspec.Struct, frozen=True):
    """How a run ended: its exit code (negative for a signal) and its output."""

    code: int
    out: str
    err: str


class Trial:
    """Runs of the command from ``source`` to ``destination`` with the options ``words``.

    ``expected`` is the tree that an undisturbed run writes, ``doomed`` the sources that must fail. ``faults`` counts the injected
    faults; the code that injects a fault increments it. ``lost`` is the number of images that had neither an output nor a
    recorded failure after the last run.
    """

    def __init__(
        self,
        source: Path,
        destination: Path,
        expected: dict[str, bytes],
        *,
        words: Sequence[str] = (),
        doomed: Collection[str] = (),
    ) -> None:
        """Run nothing yet; create a file next to the outputs that no run may touch."""
        self.source, self.destination, self.expected = source, destination, expected
        self.words, self.doomed = tuple(words), frozenset(doomed)
        self.faults = 0
        self.lost = 0
        self._inputs = invariants.identities(source)
        self._kept: dict[str, invariants.Identity] = {}
        self._started: list[subprocess.Popen[str]] = []
        destination.mkdir(parents=True, exist_ok=True)
        (destination / BYSTANDER).write_text("somebody else's")
        os.sync()  # it must survive a power cut, too

    def start(
        self,
        *words: str,
        before: Sequence[str | Path] = (),
        env: Mapping[str, str] | None = None,
        **how: Any,  # arguments of Popen
    ) -> subprocess.Popen[str]:
        """Start a run in its own session, with ``before`` in front of the command; ``how`` is passed to ``Popen``."""
        line = [*before, *COMMAND, "run", self.source, self.destination, *self.words, *words]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **how}
        environment = {**os.environ, **(env or {})}
        process: subprocess.Popen[str] = subprocess.Popen(line, env=environment, start_new_session=True, text=True, **streams)
        self._started.append(process)
        return process

    def end(self, process: subprocess.Popen[str], *, patience: float = PATIENCE) -> Ended:
        """Wait for a run to end and check the invariants. A run that does not end in ``patience`` seconds is killed (I7)."""
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.kill(process)
            raise AssertionError(f"the run did not end within {patience} s") from None
        ended = Ended(process.returncode, out or "", err or "")
        self.hold(ended)
        return ended

    def run(self, *words: str, **how: Any) -> Ended:  # arguments of start
        """Run to the end and check the invariants. Takes the arguments of ``start``."""
        return self.end(self.start(*words, **how))

    def retry(self) -> None:
        """Retry images that failed because of an injected fault, if there are any."""
        if not invariants.failed(self.destination):
            return
        subprocess.run([*COMMAND, "retry", self.destination, "--quiet"], check=False, capture_output=True)  # our own command

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill the coordinator with SIGKILL, wait until all processes are gone, and check the invariants."""
        process.kill()
        out, err = process.communicate()
        self.hold(Ended(process.returncode, out or "", err or ""))

    def hold(self, ended: Ended) -> None:
        """Check invariants I1 to I9, I11 and I12 after a run that ended as ``ended``, with or without a fault."""
        for process in self._started:
            wait_until(lambda: not of_session(process.pid))  # noqa: B023  # called at once
        invariants.check(self.destination, self.expected)
        invariants.check_unlocked(self.destination)
        self._hold_files()
        self._hold_words(ended)
        if ended.code in NORMAL:
            assert invariants.temporaries(self.destination) == [], "a run that ended normally left a temporary"

    def complete(self, *words: str) -> Ended:
        """Run without a fault: the run must finish everything, lose nothing, and not repeat finished work."""
        ended = self.run(*words)
        recorded = invariants.outputs(self.destination).keys() | invariants.failed(self.destination).keys()
        self.lost = len((self.expected.keys() | self.doomed) - recorded)
        expected_code = SOME_FAILED if self.doomed else DONE
        assert ended.code == expected_code, f"exit {ended.code}, expected {expected_code}: {ended.err}"
        assert invariants.failed(self.destination).keys() == self.doomed
        invariants.check_complete(self.destination, self.expected)
        return ended

    def changed(self, *names: str) -> None:
        """Declare that the test itself changed these outputs; all outputs if none is named."""
        for name in names or tuple(self._kept):
            self._kept.pop(name, None)

    def close(self) -> None:
        """Kill the processes that a failed test left running."""
        for process in self._started:
            for pid in of_session(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with process:  # closes its streams and waits for it
                pass

    def _hold_files(self) -> None:
        """I2, I4 and I9: inputs, foreign files and finished outputs are unchanged."""
        assert invariants.identities(self.source) == self._inputs, "an input was changed"
        assert (self.destination / BYSTANDER).read_text() == "somebody else's", "a foreign file was touched"
        now = invariants.identities(self.destination)
        for name, identity in self._kept.items():
            assert now.get(name) == identity, f"{name} was finished, but was written again"
        self._kept = {name: now[name] for name in invariants.finished(self.destination)}

    def _hold_words(self, ended: Ended) -> None:
        """I8: the exit code matches the ledger, and the output contains no unexpected error."""
        for word in ("Traceback", "unexpected", "Exception ignored"):
            assert word not in ended.err, ended.err
        counts = invariants.counts(self.destination)
        if ended.code in (DONE, SOME_FAILED):
            assert counts.pending == 0, f"exit {ended.code} with {counts.pending} pending"
            assert (counts.failed > 0) == (ended.code == SOME_FAILED), f"exit {ended.code} with {counts.failed} failed"
        if ended.code == STOPPED:
            errors = [line for line in ended.err.splitlines() if line.startswith("pixmill: ")]
            assert len(errors) == 1, f"expected one message, received {errors}"
