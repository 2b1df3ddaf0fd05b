"""A pre-started fork server: which pools claim it, when it is not usable, and that no process is left behind."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.forkserver import prestart
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from pixmill.testing.executors import answers, attempts, run_all
from pixmill.testing.faulty_handlers import REF
from support.processes import is_alive, wait_until

WANTED = msgspec.structs.replace(REF, preload=("json", "csv"))
PARENT = """
import os, sys, time
from pixmill.engine.forkserver import prestart
prestart.prestart(["{module}"])
sys.stdout.write(f"{{prestart._prestarted[0].fork_server.pid}}\\n")
sys.stdout.flush()
time.sleep(60)
"""


def child_pids():
    """Return the children of this process, zombies too."""
    return {int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}


@pytest.fixture(autouse=True)
def others():
    """The children that this process already has; at the end it has no others."""
    others = child_pids()
    yield others
    prestart.discard()
    assert child_pids() == others


@pytest.fixture
def start_early(others):
    """Return a function that pre-starts a fork server, and returns its pid."""

    def start_early(*preload):
        prestart.prestart(preload)
        (pid,) = child_pids() - others
        return pid

    return start_early


@pytest.fixture
def fork_server_in_use(others):
    """Return a function that runs a task in a pool, and returns the pid of its fork server."""

    def fork_server_in_use():
        with closing(Pool(WANTED, Policy(), workers=1)) as pool:
            assert b"echo x" in answers(run_all(pool, attempts("echo x")))
            (pid,) = child_pids() - others
        return pid

    return fork_server_in_use


@pytest.mark.parametrize("preload", [("json", "csv"), ("csv",), ()])
def test_a_pool_claims_it_when_it_needs_everything_that_was_imported(start_early, fork_server_in_use, preload):
    prestarted = start_early(*preload)
    assert fork_server_in_use() == prestarted


def test_the_next_pool_starts_a_fork_server_of_its_own(start_early, fork_server_in_use):
    start_early()
    assert fork_server_in_use() != fork_server_in_use()


def test_a_pool_does_not_claim_one_that_imports_something_else(start_early, fork_server_in_use):
    prestarted = start_early("json", "wave")
    assert fork_server_in_use() != prestarted


def change_the_environment(patch, _):
    patch.setenv("ANY", "thing")


def change_the_folder(patch, tmp_path):
    patch.chdir(tmp_path)


def change_where_modules_are(patch, tmp_path):
    patch.setattr(sys, "path", [*sys.path, str(tmp_path)])


def change_the_arguments(patch, _):
    patch.setattr(sys, "argv", ["other"])


def change_a_limit(_, __):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))


@pytest.mark.parametrize(
    "change",
    [change_the_environment, change_the_folder, change_where_modules_are, change_the_arguments, change_a_limit],
)
def test_a_pool_does_not_claim_one_whose_inherited_state_is_outdated(start_early, fork_server_in_use, change, tmp_path):
    prestarted = start_early()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.MonkeyPatch.context() as patch:
        change(patch, tmp_path)
        try:
            assert fork_server_in_use() != prestarted
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_an_executor_without_a_pool_discards_it(start_early):
    prestarted = start_early()
    with open_run([Task.of("a", b"echo x")], WANTED, executor=InlineExecutor()) as run:
        assert not Path(f"/proc/{prestarted}").exists()
        assert [type(outcome) for outcome in run] == [Done]


def test_one_that_died_meanwhile_costs_no_task(start_early):
    prestarted = start_early()
    os.kill(prestarted, signal.SIGKILL)
    wait_until(lambda: not is_alive(prestarted))
    with open_run([Task.of("a", b"echo x")], WANTED, workers=1) as run:
        assert [type(outcome) for outcome in run] == [Done]


@pytest.mark.parametrize("interpreter", ["/bin/false", "/nowhere/python"])
def test_a_failure_to_prestart_is_silent(monkeypatch, interpreter, capfd):
    monkeypatch.setattr(sys, "executable", interpreter)
    prestart.prestart(["json"])
    prestart.discard()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("module", ["json", "endless"])
def test_it_dies_with_its_parent_even_while_it_imports(tmp_path, module):
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(60)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    program = [sys.executable, "-c", PARENT.format(module=module)]
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid), seconds=10)


def test_a_file_in_the_current_folder_does_not_shadow_a_module_of_the_fork_server(tmp_path, monkeypatch, fork_server_in_use):
    for name in ("socket", "msgspec"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')\nraise ImportError\n")
    monkeypatch.chdir(tmp_path)
    fork_server_in_use()
    assert not (tmp_path / "was-run").exists()
