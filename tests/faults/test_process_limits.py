"""Few processes, few files, no guard: the run says so or makes do."""

import gc
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.core.errors import RunError
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

SCRIPT = """
import sys
from pixmill.core.errors import RunError
from pixmill.engine.runner import run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

try:
    counts = run((Task.of(str(n), b"echo x") for n in range(3000)), REF, workers=int(sys.argv[1]))
except RunError as error:
    print("RunError", error)
else:
    print(counts.done)
"""


def run_script(workers, before=None):
    command = [sys.executable, "-c", SCRIPT, str(workers)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, preexec_fn=before).stdout


@pytest.mark.parametrize("workers", [4, 100])
def test_sixty_four_open_files_are_enough(workers):
    assert run_script(workers, lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))) == "3000\n"


def test_too_few_open_files_for_a_single_worker_end_the_run_in_words():
    assert run_script(1, lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))).startswith("RunError cannot start a ")


@pytest.fixture
def process_limit():
    """Return a function that enters a control group in which only so many processes may live."""
    group = Path("/sys/fs/cgroup/pids") / f"pixmill-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group for processes: {error.strerror}")

    def enter(most):
        (group / "pids.max").write_text(str(most))
        return lambda: (group / "cgroup.procs").write_text("0")

    yield enter
    with suppress(OSError):
        group.rmdir()


def test_where_few_processes_are_allowed_fewer_workers_do_the_work(process_limit):
    assert run_script(8, process_limit(5)) == "3000\n"


def test_where_no_worker_is_allowed_the_run_ends_in_words(process_limit):
    assert run_script(2, process_limit(2)).startswith("RunError cannot start a worker process: ")


@pytest.mark.parametrize("interpreter", ["/bin/false", "/nowhere/python"])
def test_an_interpreter_that_does_not_start_ends_the_run_in_words(monkeypatch, interpreter, born):
    monkeypatch.setattr(sys, "executable", interpreter)

    def drain():
        with open_run([Task.of("a", b"echo x")], REF, workers=2) as run:
            list(run)

    with pytest.raises(RunError, match=r"cannot start a process|the process that starts the workers died"):
        drain()
    assert born() == []


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from pixmill.engine.runner import run\n"
        "from pixmill.engine.task import Task\n"
        "def work(payload):\n"
        "    return payload\n"
        "print(run([Task.of('a')], work, workers=1))\n"
    )
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 1
    assert "a worker process tried to start another run" in result.stderr


def test_open_files_stay_constant_while_workers_come_and_go(born):
    gc.collect()  # what other tests have left may hold files
    counts = set()
    tasks = (Task.of(str(n), b"exit 1" if n % 20 == 0 else b"echo x") for n in range(600))
    with open_run(tasks, REF, workers=2) as run:
        for number, _ in enumerate(run):
            if number > 100:
                counts.add(len(list(Path("/proc/self/fd").iterdir())))
    assert max(counts) - min(counts) <= 6  # two workers, three descriptors each, may be on their way in or out
    assert born() == []


def test_a_run_inside_a_worker_is_refused(monkeypatch):
    monkeypatch.setenv("PIXMILL_WORKER", str(os.getpid()))
    with pytest.raises(RunError, match="worker process") as caught, open_run([], REF):
        pass
    assert "__main__" in caught.value.hint
