"""However a coordinator ends, nobody is left behind."""

import gc
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF
from support.processes import children, grandchildren, is_alive, wait_until

SCRIPT = """
import sys
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

with open_run((Task.of(str(n), sys.argv[1].encode()) for n in range(10**9)), REF, workers=3) as run:
    for outcome in run:
        pass
"""


@pytest.fixture
def coordinator():
    """Start a coordinator whose tasks are given; returns its process once all its workers live."""
    started = []

    def start(payload):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, payload], start_new_session=True)
        started.append(process)
        wait_until(lambda: len(grandchildren(process.pid)) == 3)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("payload", ["sleep 100", "echo x"])
def test_workers_and_nursery_die_with_a_coordinator_that_is_killed(coordinator, payload):
    process = coordinator(payload)
    others = [*children(process.pid), *grandchildren(process.pid)]
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in others))


def test_stopped_workers_die_with_it_too(coordinator):
    process = coordinator("sleep 100")
    others = [*children(process.pid), *grandchildren(process.pid)]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in others))


def test_workers_ignore_the_terminals_ctrl_c_which_is_the_coordinators_business(coordinator):
    process = coordinator("sleep 100")
    workers = grandchildren(process.pid)
    for pid in [*children(process.pid), *workers]:
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGHUP)
    os.kill(children(process.pid)[0], signal.SIGTERM)
    for pid in workers:
        status = Path(f"/proc/{pid}/status").read_text()
        ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
        assert ignored & 1 << signal.SIGINT - 1
    assert grandchildren(process.pid) == workers


def test_a_worker_has_the_limits_that_make_it_safe_to_kill(coordinator):
    process = coordinator("sleep 100")
    for pid in grandchildren(process.pid):
        proc = Path(f"/proc/{pid}")
        assert (proc / "oom_score_adj").read_text().strip() == "500"
        core = next(line for line in (proc / "limits").read_text().splitlines() if "core file" in line)
        assert core.split()[4] == "0"
        wait_until(lambda: "NoNewPrivs:\t1" in (proc / "status").read_text())  # noqa: B023  # it is used at once


def test_a_worker_holds_no_pipe_but_its_own(coordinator):
    process = coordinator("sleep 100")

    def counts():
        return {len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in grandchildren(process.pid)}

    # standard input, output, error, the pipe, the memory of the beacon; what it inherited is closed once it has begun
    wait_until(lambda: counts() == {5})


def leave_by_break(run):
    for _ in run:
        break


def leave_by_error(run):
    for _ in run:
        raise KeyError("in the caller's own code")


def leave_untouched(run):
    assert run.counts.found == 0


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_error, leave_untouched])
def test_leaving_the_block_leaves_no_process_and_no_file_open(leave, born):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()  # what other tests have left may hold files
    before = open_files()
    for _ in range(3):
        with suppress(KeyError), open_run((Task.of(str(n), b"sleep 0.01") for n in range(10**9)), REF, workers=3) as run:
            leave(run)
        assert born() == []
    assert open_files() <= before  # servers of other tests may close theirs meanwhile


@pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root")
def test_it_works_as_the_first_process_of_a_container():
    script = SCRIPT.replace("10**9", "500") + "\nimport os\nprint(os.getpid(), run.counts.done, run.reason)\n"
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", script, "echo x"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in result.stderr:
        pytest.skip(result.stderr)
    assert result.stdout.split() == ["1", "500", "finished"]
