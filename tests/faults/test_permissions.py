"""What another user may not write or read: the run is refused for its output, and an input costs itself (S5)."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import pixmill
from support.fault_run import SOME_FAILED, STOPPED
from support.invariants import failed, outputs

NOBODY = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups")
pytestmark = [
    pytest.mark.row("S5"),
    pytest.mark.skipif(os.geteuid() != 0, reason="to become another user needs root"),
    pytest.mark.skipif(not all(map(shutil.which, ("setpriv", "unshare"))), reason="setpriv changes the user, unshare the mounts"),
]


def closed_above(place):
    """Return the topmost folder on the way to ``place`` that other users may not pass, nothing when they may pass all."""
    return next((folder for folder in reversed(place.parents) if not folder.stat().st_mode & stat.S_IXOTH), None)


def let_in(*places):
    """Return the words that make ``places`` reachable for every user, in a view of the file system that is the command's own.

    An interpreter may lie in the home of root, and pytest's folders are private. An empty folder is laid over each that is
    closed, and the places are bound to where they were.
    """
    closed = {folder for place in places if (folder := closed_above(place))}
    lines = ["set -e", "stage=$(mktemp -d)", "mount -t tmpfs -o mode=755 none $stage"]
    hidden = [place for place in sorted(places) if closed.intersection(place.parents)]
    lines += [f"mkdir $stage/{number} && mount --bind '{place}' $stage/{number}" for number, place in enumerate(hidden)]
    lines += [f"mount -t tmpfs -o mode=755 none '{folder}'" for folder in closed]
    lines += [f"mkdir -p '{place}' && mount --bind $stage/{number} '{place}'" for number, place in enumerate(hidden)]
    return ("unshare", "--mount", "bash", "-c", "\n".join([*lines, 'exec "$0" "$@"']))


@pytest.fixture
def as_nobody(tmp_path):
    """Return the words that make a command that of a user who is not root and has no rights of root's."""
    tmp_path.chmod(0o755)
    package = Path(pixmill.__file__).parents[1]
    words = (*let_in(*map(Path, {sys.prefix, sys.base_prefix, str(package), str(tmp_path)})), *NOBODY)
    started = subprocess.run([*words, sys.executable, "-c", "import pixmill"], capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    return words


@pytest.fixture
def attempt(trial, gallery, tmp_path, undisturbed):
    """Return a trial whose source the test may change, and whose output belongs to root."""
    shutil.copytree(gallery(12), tmp_path / "in")
    (tmp_path / "in").chmod(0o755)  # pytest made the one that it is a copy of private
    return trial(tmp_path / "in", expected=undisturbed(gallery(12)))


@pytest.fixture
def shared(attempt):
    """Return a trial whose output is a folder that the group 12347 shares."""
    os.chown(attempt.destination, 0, 12347)
    attempt.destination.chmod(0o2775)
    for path in attempt.destination.iterdir():
        os.chown(path, 0, 12347)
        path.chmod(0o2775)
    return attempt


def member(as_nobody, user):
    """Return the words that make a command that of a ``user`` of the group, with the umask of such users."""
    words = [*as_nobody[: -len(NOBODY)], "setpriv", "--reuid", user, "--regid", "12347", "--clear-groups"]
    return (*words, "sh", "-c", 'umask 002; exec "$0" "$@"')


def give(attempt):
    """Make the output nobody's."""
    for path in (attempt.destination, *attempt.destination.iterdir()):
        os.chown(path, 12345, 12345)


def test_an_output_that_may_not_be_written_stops_the_run_before_anything_has_failed(attempt, as_nobody):
    ended = attempt.run(before=as_nobody)
    attempt.faults += 1
    assert ended.code == STOPPED
    assert "cannot be written by user 12345" in ended.err
    assert outputs(attempt.destination).keys() == set()
    give(attempt)
    assert attempt.run(before=as_nobody).code == 0
    attempt.complete()


def test_an_image_that_may_not_be_read_costs_itself(attempt, as_nobody):
    give(attempt)
    locked = attempt.source / "1" / "photo 001.jpg"
    locked.chmod(0)
    ended = attempt.run(before=as_nobody)
    attempt.faults += 1
    assert ended.code == SOME_FAILED, ended.err
    assert {name: record.failure.code for name, record in failed(attempt.destination).items()} == {"1/photo 001.jpg": "read-denied"}
    locked.chmod(0o644)
    attempt.retry()
    attempt.complete()


def test_members_of_a_group_carry_each_others_runs_on_in_a_folder_that_they_share(shared, as_nobody):
    assert shared.run("--exclude", "photo 001.jpg", before=member(as_nobody, "12345")).code == 0
    ended = shared.run(before=member(as_nobody, "12346"))
    assert ended.code == 0, ended.err
    assert shared.run(before=member(as_nobody, "12345")).code == 0
    shared.complete()


def test_a_file_of_state_by_a_stranger_is_refused_where_no_group_shares_the_folder(attempt, as_nobody):
    give(attempt)
    assert attempt.run(before=as_nobody).code == 0
    ledger = attempt.destination / ".pixmill" / "ledger.sqlite"
    os.chown(ledger, 12346, 12347)
    refused = attempt.start(before=as_nobody)
    _, message = refused.communicate(timeout=60)
    assert refused.returncode == STOPPED
    assert "belongs to user 12346" in message
    os.chown(ledger, 12345, 12345)
    attempt.complete()
