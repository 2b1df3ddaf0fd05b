"""Each check of a run on a cluster can fail: the state after a good run is broken in one way, and the check says so.

The hosts are real, and the second sees another folder in place of the destination; no engine is needed for a run on the first.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from copy import copy
from pathlib import Path

import pytest

from support import invariants
from support.clusters import Cluster, DaskEngine
from support.fault_run import BYSTANDER, COMMAND, DONE, SOME_FAILED, STOPPED
from support.host_checks import HostChecks
from support.network_namespaces import two_hosts, why_no_hosts
from support.processes import wait_until

pytestmark = [pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()), pytest.mark.timeout(400)]
IDLE = [sys.executable, "-c", "import time; time.sleep(600)"]
SERVER = "pixmill.engine.forkserver.process"  # in the command line of a fork server


class Ground:
    """Two hosts, of which the second sees the folder ``other`` in place of the destination, and a run on the first."""

    def __init__(self, folder, hosts, source, expected):
        self.source, self.destination, self.other = source, folder / "out", folder / "other"
        self.events = folder / "events"
        for each in (self.destination, self.other):
            each.mkdir()
        self.cluster = Cluster(DaskEngine(), hosts, folder)
        hosts[1].cover(self.destination, self.other)
        for host in hosts:
            host.start(IDLE, variables={}, log=folder / "log")
        wait_until(lambda: all(IDLE[-1] in " ".join(map(command_line, host.pids())) for host in hosts))
        self.checks = HostChecks(self.cluster, source, self.destination, expected, self.events)
        line = [*COMMAND, "run", source, self.destination, "--json", "--workers", "1"]
        self.code = self.checks.wait(hosts[0].start(line, variables=self.cluster.variables, log=self.events))

    def output(self):
        """Return the path of an output."""
        return self.destination / min(invariants.finished(self.destination))

    def check(self, kept):
        self.checks.check(self.code)
        self.checks.check_kept(kept)

    @contextmanager
    def edited(self, statement):
        """Change the ledger until the block ends."""
        files = {path: path.read_bytes() for path in (self.destination / ".pixmill").glob("ledger.sqlite*")}
        with closing(sqlite3.connect(self.destination / ".pixmill/ledger.sqlite")) as connection, connection:
            connection.execute(statement)
        yield
        for path, data in files.items():
            path.write_bytes(data)

    @contextmanager
    def said(self, line):
        """Add a line to the output of the run until the block ends."""
        before = self.events.read_text()
        self.events.write_text(f"{before}{line}\n")
        yield
        self.events.write_text(before)


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def ground(gallery, undisturbed):
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="pxm")))
        hosts = exits.enter_context(two_hosts())
        made = Ground(folder, hosts, gallery(6), undisturbed(gallery(6)))
        made.check({})
        assert made.code == DONE
        yield made


@contextmanager
def file_at(path, data=b"half"):
    path.write_bytes(data)
    yield
    path.unlink()


@contextmanager
def truncate_an_output(ground):
    data = ground.output().read_bytes()
    os.truncate(ground.output(), 100)
    yield
    ground.output().write_bytes(data)


def leave_a_temporary_file(ground):
    return file_at(ground.destination / ".pixmill-abc-1-2.tmp")


def leave_a_temporary_file_on_the_other_host(ground):
    return file_at(ground.other / ".pixmill-abc-1-2.tmp")


def leave_a_file_of_workers(ground):
    return file_at(ground.cluster.temporary / "pixmill-workers-x")


def leave_a_probe_file(ground):
    return file_at(ground.destination / ".pixmill/admission-0-1")


@contextmanager
def remove_an_output(ground):
    data = ground.output().read_bytes()
    ground.output().unlink()
    yield
    ground.output().write_bytes(data)


@contextmanager
def write_an_output_again(ground):
    data = ground.output().read_bytes()
    (ground.destination / "new").write_bytes(data)
    (ground.destination / "new").replace(ground.output())
    yield


def finish_an_image_twice(ground):
    return ground.said(json.dumps(ground.checks.told("task_finished")[-1]))


def lose_an_image(ground):
    return ground.edited("DELETE FROM task WHERE key = (SELECT min(key) FROM task)")


def try_an_image_too_often(ground):
    return ground.edited("UPDATE task SET attempts = 9 WHERE key = (SELECT min(key) FROM task)")


@contextmanager
def leave_a_fork_server(ground):
    process = ground.cluster.node.start([*IDLE, SERVER], variables={}, log=ground.cluster.log)
    wait_until(ground.cluster.node.fork_servers)
    ground.checks.patience = 0.5
    yield
    ground.checks.patience = 90.0
    process.kill()
    process.wait()


def say_a_traceback(ground):
    return ground.said("Traceback (most recent call last):")


@contextmanager
def end_with(ground, code):
    before, ground.code = ground.code, code
    yield
    ground.code = before


def end_as_if_an_image_had_failed(ground):
    return end_with(ground, SOME_FAILED)


def end_as_if_stopped_without_a_message(ground):
    return end_with(ground, STOPPED)


@contextmanager
def touch_an_input(ground):
    path = min(ground.source.rglob("*.jpg"))
    stat = path.stat()
    os.utime(path)
    yield
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # other tests use it, too


@contextmanager
def use_more_memory_than_allowed(ground):
    before, ground.checks.memory = ground.checks.memory, max(ground.checks.peaks.values()) - 1
    yield
    ground.checks.memory = before


@contextmanager
def measure_nothing(ground):
    before, ground.checks.peaks = ground.checks.peaks, Counter()
    yield
    ground.checks.peaks = before


def name_no_node(ground):
    return ground.said(json.dumps({"event": "task_retried", "key": "0/photo 000.jpg", "failure": {"node": ""}}))


@contextmanager
def holder(lock):
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX); print(1, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def hold_the_lock(ground):
    return holder(ground.destination / ".pixmill/lock")


@contextmanager
def touch_a_file_of_others(ground):
    stat = (ground.destination / BYSTANDER).stat()
    os.utime(ground.destination / BYSTANDER)
    yield
    os.utime(ground.destination / BYSTANDER, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def write_into_the_other_folder(ground):
    return file_at(ground.other / "a.jpg")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (truncate_an_output, "I1: "),
        (leave_a_temporary_file, "I2: .* unfinished"),
        (leave_a_temporary_file_on_the_other_host, "I2: .* unfinished"),
        (leave_a_file_of_workers, "I2: temporary files"),
        (leave_a_probe_file, "I2: temporary files"),
        (remove_an_output, "I3: "),
        (write_an_output_again, "I4: "),
        (finish_an_image_twice, "I5: .* two outcomes"),
        (lose_an_image, "I5: "),
        (try_an_image_too_often, "I6: "),
        (leave_a_fork_server, "I7: "),
        (say_a_traceback, "I8: "),
        (end_as_if_an_image_had_failed, "I8: "),
        (end_as_if_stopped_without_a_message, "I8: "),
        (touch_an_input, "I9: "),
        (use_more_memory_than_allowed, "I10: .* were used"),
        (measure_nothing, "I10: no worker"),
        (name_no_node, "I11: "),
        (hold_the_lock, "I12: "),
        (touch_a_file_of_others, "I13: .* touched"),
        (write_into_the_other_folder, "I13: .* was written to"),
    ],
)
def test_a_state_that_breaks_an_invariant_does_not_pass(ground, break_it, message):
    kept = invariants.identities(ground.destination)
    with break_it(ground), pytest.raises(AssertionError, match=message):
        ground.check(kept)
    ground.check({})


def test_a_second_run_that_is_not_refused_does_not_pass(ground, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXMILL_DRY_RUN", "true")  # needs no lock
    checks = copy(ground.checks)
    checks.destination = tmp_path / "out"
    lock = checks.destination / ".pixmill/lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with holder(lock) as process, pytest.raises(AssertionError, match="I12: a second run ended with 0"):
        checks.check_second_run(process)
