"""Where little is allowed: as PID 1, with few files and processes, without a home, a name or a locale (P15 to P18, R4 to R6)."""

import os
import resource
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from support.fault_run import COMMAND, DONE, STOPPED, TERMINATED
from support.processes import children, grandchildren, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and control groups need root")
# may read what it would otherwise not: this interpreter may lie in the home of root
READER = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
NAMELESS = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", *READER)


@pytest.fixture
def control_group():
    """Return a function that makes a control group (version 1) and gives what puts a process into it."""
    made = []

    def enter(controller, **limits):
        group = Path("/sys/fs/cgroup") / controller / f"pixmill-test-{os.getpid()}-{len(made)}"
        try:
            group.mkdir()
        except OSError as error:
            pytest.skip(f"no control group for {controller}: {error.strerror}")
        made.append(group)
        for name, value in limits.items():
            (group / f"{controller}.{name}").write_text(str(value))
        return ("bash", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"')

    yield enter
    for group in made:
        with suppress(OSError):
            wait_until(lambda: not (group / "cgroup.procs").read_text(), seconds=60)  # noqa: B023  # called at once
            group.rmdir()


@pytest.mark.row("P15")
@needs_root
def test_where_few_processes_are_allowed_fewer_workers_do_the_work(trial, gallery, control_group):
    attempt = trial(gallery(30))
    assert attempt.run("--workers", "8", before=control_group("pids", max=40)).code == DONE
    attempt.faults += 1
    attempt.complete()


@pytest.mark.row("P15")
@needs_root
@pytest.mark.parametrize("most", [1, 9])
def test_where_no_worker_is_allowed_one_sentence_says_so(trial, gallery, control_group, most):
    attempt = trial(gallery(30))
    ended = attempt.run(before=control_group("pids", max=most))
    attempt.faults += 1
    assert ended.code == STOPPED
    assert "cannot start a worker process: " in ended.err
    attempt.complete()


@pytest.mark.row("P16")
@pytest.mark.parametrize("most", [64, 24])
def test_few_open_files_are_enough(trial, gallery, most):
    attempt = trial(gallery(30))
    assert attempt.run("--workers", "4", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))).code == DONE
    attempt.faults += 1
    attempt.complete()


@pytest.mark.row("P17")
@needs_root
def test_it_can_be_the_first_process_of_a_container(trial, gallery):
    attempt = trial(gallery(60, side=600))
    process = attempt.start(before=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"))
    wait_until(lambda: any(map(grandchildren, children(process.pid))) or process.poll() is not None)
    for first in children(process.pid):
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGTERM)
    attempt.faults += 1
    assert attempt.end(process).code in (TERMINATED, DONE)
    attempt.complete()


@pytest.mark.row("P18")
def test_a_second_run_on_one_output_is_refused_and_one_after_the_first_was_killed_is_not(trial, gallery, poison_step):
    attempt = trial(gallery(30, heights=(208,)), *poison_step, doomed=["0/poison 000.jpg"])
    process = attempt.start("--timeout", "100s")
    wait_until(lambda: grandchildren(process.pid))
    second = subprocess.run(
        [*COMMAND, "run", attempt.source, attempt.destination], capture_output=True, text=True, check=False, timeout=240
    )
    attempt.faults += 1
    assert second.returncode == STOPPED
    assert f"another run is writing to {attempt.destination} (process {process.pid} on " in second.stderr
    attempt.kill(process)
    attempt.faults += 1
    attempt.complete("--timeout", "3s")


@pytest.mark.row("R4")
@needs_root
def test_a_small_shared_memory_is_enough(trial, gallery):
    attempt = trial(gallery(12, side=900))
    mounted = "mount -t tmpfs -o size=64m none /dev/shm && head -c 63m /dev/zero > /dev/shm/full"
    attempt.faults += 1
    assert attempt.run(before=("unshare", "--mount", "bash", "-c", f'{mounted} && exec "$0" "$@"')).code == DONE
    attempt.complete()


@pytest.mark.row("R5")
def test_one_core_gets_one_worker(trial, gallery):
    attempt = trial(gallery(30))
    process = attempt.start(preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    seen = set()
    while process.poll() is None:
        seen.add(len(grandchildren(process.pid)))
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    attempt.end(process)
    attempt.faults += 1
    assert max(seen) == 2  # the worker, and the process that writes its outputs
    attempt.complete()


@pytest.mark.row("R5")
@needs_root
def test_half_a_core_is_enough(trial, gallery, control_group):
    attempt = trial(gallery(12))
    assert attempt.run(before=control_group("cpu", cfs_period_us=100_000, cfs_quota_us=50_000)).code == DONE
    attempt.faults += 1
    attempt.complete()


@pytest.mark.row("R6")
@pytest.mark.parametrize(
    "surroundings",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb"},
        {"HOME": "/proc", "XDG_CACHE_HOME": "/proc", "TMPDIR": "/proc"},
        {"HOME": "/nowhere", "PATH": ""},
    ],
)
def test_odd_surroundings_change_nothing(trial, gallery, surroundings):
    attempt = trial(gallery(30))
    assert attempt.run(env=surroundings).code == DONE
    attempt.faults += 1
    attempt.complete()


@pytest.mark.row("R6")
@needs_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv changes the user")
def test_a_user_without_a_name_on_a_read_only_root_needs_nothing_but_the_output(trial, gallery):
    attempt = trial(gallery(30))
    for path in (attempt.destination, *attempt.destination.iterdir()):
        os.chown(path, 12345, 12345)
    keep = f"mount --bind {attempt.destination} {attempt.destination}"
    inside = f'{keep} && mount -o remount,ro,bind / ; exec "$0" "$@"'
    ended = attempt.run(before=("unshare", "--mount", "bash", "-c", inside, *NAMELESS), env={"HOME": "/", "TMPDIR": "/nowhere"})
    attempt.faults += 1
    assert ended.code == DONE, ended.err
    attempt.complete()
