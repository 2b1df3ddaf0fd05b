"""File systems that lack what ext4 has: the run goes on, and says once what that means (S7)."""

import errno
import json
import os
import subprocess

import pytest

from support.fault_run import COMMAND, DONE, STOPPED
from support.processes import wait_until

pytestmark = pytest.mark.row("S7")
WORDS = ("--workers", "2", "--preserve", "mtime")


@pytest.mark.parametrize(
    ("call", "how", "sentence"),
    [
        ("fsync-folder", errno.EINVAL, "cannot make names of files durable"),
        ("fsync-folder", errno.EBADF, "cannot make names of files durable"),
        ("fsync-folder", errno.EACCES, "cannot make names of files durable"),
        ("flock", errno.ENOSYS, "has no locks (flock)"),
        ("flock", errno.ENOLCK, "has no locks (flock)"),
        ("flock", errno.ENOTSUP, "has no locks (flock)"),
        ("utime", errno.EPERM, "does not let times be set"),
        ("utime", errno.ENOSYS, "does not let times be set"),
    ],
)
def test_what_a_file_system_lacks_costs_no_image_and_is_said_once(trial, gallery, shim, call, how, sentence):
    attempt = trial(gallery(12), *WORDS)
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL=call, FAULT_HOW=how, FAULT_AT=1, FAULT_EVERY=1)
    ended = attempt.run(env=fault.environment)
    attempt.faults += fault.fired
    assert ended.code == DONE, ended.err
    assert ended.err.count(sentence) == 1, ended.err
    assert fault.fired
    attempt.complete()


def test_without_locks_two_runs_still_refuse_each_other_and_one_that_was_killed_is_in_nobodys_way(trial, gallery, shim):
    attempt = trial(gallery(60))
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL="flock", FAULT_HOW=errno.ENOLCK, FAULT_AT=1, FAULT_EVERY=1)
    first = attempt.start("--max-rate", "3/s", env=fault.environment)
    wait_until(lambda: list(attempt.destination.rglob("*.jpg")) or first.poll() is not None)
    second = attempt.start(env=fault.environment)
    _, message = second.communicate(timeout=120)
    assert second.returncode == STOPPED
    assert f"another run is writing to {attempt.destination} (process {first.pid} on " in message
    status = subprocess.run(
        [*COMMAND, "status", attempt.destination, "--json"],
        env={**os.environ, **fault.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.returncode == DONE, status.stderr
    assert json.loads(status.stdout)["running"]
    attempt.kill(first)
    attempt.faults += 1
    assert attempt.run(env=fault.environment).code == DONE
    assert list((attempt.destination / ".pixmill" / "owners").iterdir()) == []
    attempt.complete()


@pytest.mark.parametrize(("call", "how"), [("fsync-file", errno.EINVAL), ("lock", errno.ENOLCK)])
def test_where_the_ledger_cannot_be_kept_the_message_says_where_it_can(trial, gallery, shim, tmp_path, call, how):
    attempt = trial(gallery(12), *WORDS)
    fault = shim(FAULT_UNDER=attempt.destination, FAULT_CALL=call, FAULT_HOW=how, FAULT_AT=1, FAULT_EVERY=1)
    refused = attempt.start(env=fault.environment)
    _, message = refused.communicate(timeout=120)
    assert refused.returncode == STOPPED
    assert "--state FOLDER" in message
    elsewhere = attempt.start("--state", tmp_path / "state", env=fault.environment)
    _, message = elsewhere.communicate(timeout=120)
    assert elsewhere.returncode == DONE, message
    assert message.count("cannot make files durable") == (call == "fsync-file")
    attempt.faults += fault.fired


def test_a_file_system_that_lacks_nothing_is_not_spoken_of(trial, gallery):
    ended = trial(gallery(3), *WORDS).run()
    assert "file system" not in ended.err
