"""The invariants of the design after a run on a cluster, checked on all its hosts, each of which may see other folders."""

import fcntl
import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pixmill.engine.policy import Policy
from pixmill.engine.task import State
from support import invariants, program
from support.clusters import Cluster
from support.fault_run import BYSTANDER, COMMAND, DONE, NORMAL, SOME_FAILED, STOPPED
from support.host_view import view
from support.network_namespaces import Host
from support.processes import children, proportional, wait_until

View = dict[str, Any]
FOREIGN = "somebody else's"
MEMORY = 2 << 30  # bytes that pixmill may use on each host
_POLL = 0.2  # seconds
_OWN_TEMPORARY = re.compile(r"\.?pixmill-.*")


class HostChecks:
    """Checks what must hold on the hosts of ``cluster`` after a run from ``source`` to ``destination``, which hosts may see or not.

    ``expected`` is the tree that an undisturbed run makes. ``events`` is the output of the run: events as JSON, and its messages.
    Begin it when the engine runs on all hosts: on each, a file of others is placed beside the outputs, and what the host sees is
    remembered.
    """

    def __init__(
        self,
        cluster: Cluster,
        source: Path,
        destination: Path,
        expected: Mapping[str, bytes],
        events: Path,
    ) -> None:
        """Prepare the folders and remember how they are."""
        self.source, self.destination, self.expected, self.events = source, destination, dict(expected), events
        self.hosts, self.temporary, self.memory = (cluster.head, cluster.node), cluster.temporary, MEMORY
        hosts = self.hosts
        self.patience = 90.0  # seconds; twice as long as a node takes to notice that nobody asks for its results
        self.peaks = Counter[str]()
        self._mounts = {host.name: host.mounts() for host in hosts}
        destination.mkdir(parents=True, exist_ok=True)
        for host in hosts:
            self._call(host, "sh", "-c", 'test ! -d "$1" || printf %s "$2" > "$1/$3"', "sh", destination, FOREIGN, BYSTANDER)
        self._inputs = invariants.identities(source)
        self.remember()

    def remember(self) -> None:
        """Remember what each host sees now: before the run, and again when the test itself has changed it."""
        self._before = {host.name: self._views(host) for host in self.hosts}

    def wait(self, process: "subprocess.Popen[bytes]", *, tries_another: bool = True, seconds: float = 200) -> int:
        """Return the exit code of a run that this waits for; meanwhile measure its memory on each host, and try a second run."""
        lock, end, is_tried = self.destination / ".pixmill/lock", time.monotonic() + seconds, not tries_another
        while process.poll() is None:
            assert time.monotonic() < end, f"I7: the run did not end within {seconds} s"
            self.measure()
            if not is_tried and lock.exists():
                is_tried = True
                self.check_second_run(process)
            time.sleep(_POLL)
        return process.returncode

    def measure(self) -> None:
        """Remember the most memory that pixmill's workers and their fork server used on each host."""
        for host in self.hosts:
            servers = host.fork_servers()
            used = sum(map(proportional, [*servers, *(worker for server in servers for worker in children(server))]))
            self.peaks[host.name] = max(self.peaks[host.name], used)

    def check(self, code: int) -> None:
        """Check every invariant after a run that ended with ``code``, except those that another run shows (``check_again``)."""
        self.check_outputs()
        self.check_remains(code)
        self.check_ledger()
        self.check_accounts()
        self.check_attempts()
        self.check_processes()
        self.check_code(code)
        self.check_inputs()
        self.check_memory()
        self.check_failures()
        self.check_lock()
        self.check_foreign_files()
        if code == DONE:
            invariants.check_complete(self.destination, self.expected)

    def check_outputs(self) -> None:
        """I1: each output has the bytes of an undisturbed run, and all hosts that see the destination see the same files."""
        for name, data in invariants.outputs(self.destination).items():
            assert data == self.expected.get(name), f"I1: {name} differs from the output of an undisturbed run"
        here = view(self.destination)
        for host, seen in self._destinations():
            if seen and here and seen["identity"] == here["identity"]:
                assert seen["files"] == here["files"], f"I1: {host.name} sees other outputs"

    def check_remains(self, code: int) -> None:
        """I2: no unfinished file is left on any host after a normal end, neither beside the outputs nor among temporary files."""
        if code not in NORMAL:
            return
        for host, seen in self._destinations():
            left = [name for name in (seen or {"files": {}})["files"] if invariants.TEMPORARY.fullmatch(Path(name).name)]
            assert not left, f"I2: {host.name} has unfinished files: {left}"
        left = [path.name for path in self.temporary.iterdir() if _OWN_TEMPORARY.fullmatch(path.name)]
        left += [path.name for path in (self.destination / ".pixmill").glob("admission-*")]
        assert not left, f"I2: temporary files are left: {left}"

    def check_ledger(self) -> None:
        """I3: each output that the ledger records as done is there, with the digest in the ledger."""
        here = view(self.destination) or {"files": {}}
        for name, output in invariants.finished(self.destination).items():
            assert name in here["files"], f"I3: {name} is done and not there"
            assert here["files"][name][2] == output.digest.hex(), f"I3: {name} differs from the digest in the ledger"

    def check_again(self, *options: str | Path, env: Mapping[str, str]) -> None:
        """I4: another run, on this machine alone, finishes what is missing and does not touch what was finished.

        I2: it removes what the one before has left unfinished.
        """
        before, finished = invariants.identities(self.destination), invariants.finished(self.destination)
        line = [*COMMAND, "run", self.source, self.destination, *options, "--json"]
        ended = subprocess.run(line, env={**os.environ, **env}, capture_output=True, check=False, timeout=240)
        assert ended.returncode == DONE, ended.stderr.decode()
        self.check_kept({name: before[name] for name in finished})
        begun = [line for line in ended.stdout.splitlines() if b'"event":"attempt_started"' in line]
        assert len(begun) == len(self.expected) - len(finished), f"I4: {len(begun)} images were made again"
        assert invariants.outputs(self.destination) == self.expected, "I4: the next run does not complete the tree"
        assert invariants.temporaries(self.destination) == [], "I2: the next run leaves unfinished files"

    def check_kept(self, kept: Mapping[str, invariants.Identity]) -> None:
        """I4: the outputs ``kept`` are the same files as before."""
        now = invariants.identities(self.destination)
        for name, identity in kept.items():
            assert now.get(name) == identity, f"I4: {name} was finished, but was written again"

    def check_accounts(self) -> None:
        """I5: every source has at most one outcome, the one in the ledger, and the totals add up."""
        times = Counter(event["key"] for event in self.told("task_finished"))
        assert not [key for key, count in times.items() if count > 1], "I5: an image has two outcomes"
        sources = {str(path.relative_to(self.source)) for path in self.source.rglob("*") if path.is_file()}
        assert times.keys() <= sources, "I5: there is an outcome of what is no source"
        counts, records = invariants.counts(self.destination), invariants.records(self.destination)
        assert counts.found == len(records), f"I5: the totals do not add up: {counts}"
        ended = {os.fsdecode(record.key) for record in records if record.state in {State.DONE, State.FAILED}}
        assert times.keys() <= ended, "I5: an outcome is not in the ledger"
        if self.told("run_ended"):
            said = self.told("run_ended")[-1]["counts"]
            assert said["done"] + said["skipped"] == counts.done + counts.skipped, f"I5: the run says {said}, the ledger {counts}"
            assert (said["failed"], said["pending"]) == (counts.failed, counts.pending), (
                f"I5: the run says {said}, the ledger {counts}"
            )

    def check_attempts(self) -> None:
        """I6: no image was tried more often than allowed."""
        for record in invariants.records(self.destination):
            try:
                invariants.check_attempts(record, Policy())
            except AssertionError as error:
                raise AssertionError(f"I6: {error}") from None

    def check_processes(self) -> None:
        """I7: no coordinator, fork server or worker is left on any host."""
        for host in self.hosts:
            with suppress(pytest.fail.Exception):  # it would not name the invariant
                wait_until(lambda: not host.fork_servers(), seconds=self.patience)  # noqa: B023  # called at once
            left = [*host.fork_servers(), *host.workers(), *host.processes(str(self.destination))]
            assert not left, f"I7: processes are left on {host.name}: {left}"

    def check_code(self, code: int) -> None:
        """I8: the exit code is that of the ledger, and the output of the run has no traceback and one message at most."""
        counts, said = invariants.counts(self.destination), self.events.read_text(errors="replace")
        assert "Traceback" not in said, f"I8: {said[-3000:]}"
        if code in {DONE, SOME_FAILED}:
            assert counts.pending == 0, f"I8: exit {code} with {counts.pending} pending"
            assert counts.found == len(self.expected), f"I8: exit {code} with {counts.found} found"
            assert (counts.failed > 0) == (code == SOME_FAILED), f"I8: exit {code} with {counts.failed} failed"
        if code == STOPPED:
            messages = re.findall(r"^pixmill: .*", said, re.MULTILINE)
            assert len(messages) == 1, f"I8: expected one message, received {messages}"

    def check_inputs(self) -> None:
        """I9: the inputs are unchanged, as each host sees them."""
        assert invariants.identities(self.source) == self._inputs, "I9: an input was changed"
        for host in self.hosts:
            assert self._views(host)[0] == self._before[host.name][0], f"I9: an input was changed on {host.name}"

    def check_memory(self) -> None:
        """I10: on no host did pixmill use more memory than allowed; what was measured is not nothing."""
        assert any(self.peaks.values()) or not self.told("task_finished"), "I10: no worker was measured"
        for name, peak in self.peaks.items():
            assert peak <= self.memory, f"I10: {peak} bytes were used on {name}"

    def check_failures(self) -> None:
        """I11: each failure, also one that was tried elsewhere, has its record, and names its host."""
        for record in invariants.records(self.destination):
            try:
                invariants.check_failure(record)
            except AssertionError as error:
                raise AssertionError(f"I11: {error}") from None
            if record.state is State.FAILED and record.failure:
                assert record.failure.node, f"I11: {record.key!r} failed without a node"
        for event in self.told("task_retried"):
            assert event["failure"]["node"], f"I11: {event['key']} was tried again without a node"

    def check_lock(self) -> None:
        """I12: the lock of the output is free."""
        try:
            invariants.check_unlocked(self.destination)
        except BlockingIOError:
            raise AssertionError("I12: the lock outlives its owner") from None

    def check_second_run(self, process: "subprocess.Popen[bytes]") -> None:
        """I12: another run is refused while ``process`` holds the lock; it is suspended meanwhile, so that it does not end."""
        wait_until(lambda: self._is_locked() or process.poll() is not None, seconds=60)
        process.send_signal(signal.SIGSTOP)
        try:
            if process.poll() is None:
                line: list[str | Path] = [*COMMAND, "run", self.source, self.destination, "--progress", "none"]
                second = subprocess.run(line, capture_output=True, check=False, timeout=240)
                assert second.returncode == STOPPED, f"I12: a second run ended with {second.returncode}"
                assert b"another run is writing" in second.stderr, f"I12: {second.stderr.decode()}"
        finally:
            process.send_signal(signal.SIGCONT)

    def check_foreign_files(self) -> None:
        """I13: files of others are as they were on each host, and nothing was written where a host sees another folder as DST."""
        here = view(self.destination) or {"identity": None}
        for host in self.hosts:
            before, now = self._before[host.name][1], self._views(host)[1]
            if not before or now is None or now["identity"] != here["identity"]:
                assert now == before, f"I13: {host.name} was written to where it has another folder for the outputs"
            else:
                foreign = before["files"][BYSTANDER]
                assert now["files"].get(BYSTANDER) == foreign, f"I13: a file of others was touched on {host.name}"

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind so far."""
        lines = self.events.read_bytes().splitlines(keepends=True) if self.events.exists() else []
        found = [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return [event for event in found if event["event"] == kind]

    def _destinations(self) -> list[tuple[Host, View | None]]:
        return [(host, self._views(host)[1]) for host in self.hosts]

    def _views(self, host: Host) -> tuple[View | None, View | None]:
        """Return what ``host`` sees of the source and of the destination."""
        source, destination = json.loads(self._call(host, *program("host_view"), self.source, self.destination))
        return source, destination

    def _call(self, host: Host, *command: str | Path) -> bytes:
        """Run ``command`` with the mounts of the engine on ``host``, even if all of its processes have been killed since."""
        return host.call(command, self._mounts[host.name])

    def _is_locked(self) -> bool:
        with (self.destination / ".pixmill/lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
