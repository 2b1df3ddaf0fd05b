"""Files made to do harm, through the command, as nobody, with little memory and time, and without a network."""

import os
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

import pixmill
from support.fault_run import SOME_FAILED
from support.invariants import failed, outputs
from support.processes import family

BAD = Path(__file__).parents[3] / "shared" / "corpus" / "bad"
READER = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")  # this interpreter may lie in the home of root
NOBODY = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", *READER)
pytestmark = [
    pytest.mark.row("hostile"),
    pytest.mark.skipif(not BAD.is_dir(), reason="the corpus of bad files is not beside the repository"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root"),
    pytest.mark.skipif(not all(map(shutil.which, ("setpriv", "unshare", "prlimit"))), reason="setpriv, unshare and prlimit"),
]
INSIDE = ("unshare", "--net", *NOBODY, "prlimit", "--cpu=600", "--as=12000000000", "--fsize=200000000")


@pytest.fixture
def shuffled(tmp_path):
    """Return a function that lays the bad files out in an order of their own, so that each has other neighbours."""

    def lay_out(seed, count=None):
        files = sorted(path for path in BAD.rglob("*") if path.is_file())
        random.Random(seed).shuffle(files)
        folder = tmp_path / "in"
        for number, path in enumerate(files[:count]):
            place = folder / f"{number % 7}" / f"{number:04} {path.name[-60:]}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        return folder

    return lay_out


def strangers(process):
    """Return the command lines of the run's processes that are neither its coordinator, nor its nursery, nor a worker.

    From one look at them all: who comes or goes between two looks would seem to be strange.
    """
    parents = family(process.pid)
    crew = [pid for pid, parent in parents.items() if parent == process.pid]
    odd = [pid for pid, parent in parents.items() if pid != process.pid and parent not in (process.pid, *crew)]
    return [command(pid) for pid in (*crew[1:], *odd)]


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b"gone already"


def run_as_nobody(attempt, tmp_path, *words):
    """Run confined, watching for processes that have no business there; return how it ended."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    for path in (attempt.destination, *attempt.destination.iterdir(), home):
        os.chown(path, 12345, 12345)
    before = snapshot(tmp_path, attempt.destination)
    options = ("--all-files", "--allow", "all", "--timeout", "10s", "--workers", "2", *words)
    process = attempt.start(*options, before=INSIDE, env={"HOME": str(home)})
    odd = []
    while process.poll() is None:
        odd += strangers(process)
        time.sleep(0.05)  # a look at /proc
    out, err = process.communicate()
    assert odd == []
    assert snapshot(tmp_path, attempt.destination) == before, "something was written outside the output"
    assert "Traceback" not in err
    return process.returncode, out, err


def snapshot(folder, destination):
    """Return size and time of all that lies around the output."""
    files = [path for path in folder.rglob("*") if path.is_file() and destination not in path.parents]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def hold(attempt, tmp_path):
    code, _, err = run_as_nobody(attempt, tmp_path)
    assert code == SOME_FAILED, err
    attempt.expected = outputs(attempt.destination)  # what it made is held to itself: whole, in the ledger, and the same again
    attempt.doomed = frozenset(failed(attempt.destination))
    attempt.complete("--all-files", "--allow", "all", "--timeout", "10s")
    return attempt.expected


def test_some_bad_files_do_no_harm(trial, shuffled, tmp_path):
    attempt = trial(shuffled(0, count=120), expected={})
    hold(attempt, tmp_path)
    attempt.faults += 120


def opened(trace, attempt):
    """Return the absolute paths outside the source and the output that a run opened, or tried to, and the programs it started."""
    calls = re.findall(r'^\d+ +(open|openat|execve)\((?:AT_FDCWD, )?"(/[^"]*)"', trace.read_text(errors="replace"), re.MULTILINE)
    ours = (str(attempt.source), str(attempt.destination))
    return {path for call, path in calls if call != "execve" and not path.startswith(ours)}, [
        path for call, path in calls if call == "execve"
    ]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace sees what is opened")
def test_bad_files_make_a_run_open_nothing_but_its_own_and_start_nobody(trial, shuffled, tmp_path):
    attempt = trial(shuffled(4, count=200), expected={})
    trace = tmp_path / "trace"
    before = ("strace", "-f", "-qq", "-e", "trace=open,openat,connect,execve", "-e", "signal=none", "-o", trace)
    process = attempt.start("--all-files", "--allow", "all", "--timeout", "1m", "--workers", "2", before=before)
    process.communicate(timeout=280)
    attempt.faults += 200
    assert process.returncode == SOME_FAILED
    paths, started = opened(trace, attempt)
    package = str(Path(pixmill.__file__).parents[1])
    system = ("/usr/", "/lib", "/proc/", "/sys/", "/dev/", "/etc/ld.so", "/etc/localtime", tempfile.gettempdir())
    of_parents = {str(folder / ".pixmill" / "output-id") for folder in attempt.source.parents}  # SRC may lie in an output
    allowed = {str(Path.cwd()), *of_parents}
    assert {path for path in paths if not path.startswith((sys.prefix, sys.base_prefix, package, *system))} <= allowed
    assert len(started) == 2, started  # the command, and the nursery that forks the workers
    assert "connect(" not in re.sub(r'"[^"]*"', "", trace.read_text(errors="replace"))
    attempt.expected = outputs(attempt.destination)
    attempt.doomed = frozenset(failed(attempt.destination))
    attempt.complete("--all-files", "--allow", "all", "--timeout", "1m")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_bad_files_do_no_harm_in_any_order(trial, shuffled, tmp_path, seed):
    attempt = trial(shuffled(seed), expected={})
    hold(attempt, tmp_path)
    attempt.faults += len(attempt.doomed) + len(attempt.expected)
