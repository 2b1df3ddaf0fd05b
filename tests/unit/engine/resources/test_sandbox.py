"""A worker in a sandbox can do its work and nothing else."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from pixmill.core.errors import RunError
from pixmill.engine.resources.pids import available_processes, workers_within_process_limit
from pixmill.engine.resources.sandbox import missing

CONFINED = """
import os, resource, signal, socket, sys
from pathlib import Path
from pixmill.engine.resources.sandbox import Sandbox, enter_sandbox, limit_address_space, limit_processor_time
print(enter_sandbox(Sandbox((sys.argv[1],))))
"""


def confined(code, folder):
    """Run ``code`` in a process that may write below ``folder`` only; return what it printed, and how it ended."""
    line = [sys.executable, "-c", CONFINED + code, str(folder)]
    environment = {**os.environ, "TMPDIR": str(folder)}  # may be written to, too, and must not hold the input
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60, env=environment)
    is_sandboxed, *lines = result.stdout.splitlines()
    if is_sandboxed != "True":
        pytest.skip("this kernel has no landlock")
    return lines, result


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("source")
    return tmp_path / "out"


@pytest.mark.parametrize(
    "attempt",
    [
        "Path(sys.argv[1], '../in/b').write_text('x')",
        "Path(sys.argv[1], '../in/a').write_text('x')",
        "Path(sys.argv[1], '../in/a').unlink()",
        "Path(sys.argv[1], '../in/c').mkdir()",
        "Path(sys.argv[1], '../in/a').rename(Path(sys.argv[1], 'a'))",
        "os.truncate(Path(sys.argv[1], '../in/a'), 0)",
        "os.symlink('x', Path(sys.argv[1], '../in/link'))",
    ],
)
def test_nothing_outside_can_be_changed(folder, attempt):
    lines, result = confined(f"try:\n    {attempt}\nexcept OSError as error:\n    print('refused')\n", folder)
    assert (lines, result.stderr) == (["refused"], "")
    assert [path.name for path in (folder.parent / "in").iterdir()] == ["a"]
    assert (folder.parent / "in" / "a").read_text() == "source"


def test_what_is_needed_works(folder):
    code = (
        "Path(sys.argv[1], 'sub').mkdir()\n"
        "Path(sys.argv[1], 'sub/.tmp').write_text('x')\n"
        "Path(sys.argv[1], 'sub/.tmp').rename(Path(sys.argv[1], 'sub/done'))\n"
        "Path('/dev/null').write_text('x')\n"
        "print(Path(sys.argv[1], '../in/a').read_text())\n"
    )
    assert confined(code, folder)[0] == ["source"]
    assert (folder / "sub" / "done").read_text() == "x"


def test_there_is_no_network(folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lines, _ = confined(
            f"try:\n    socket.create_connection(('127.0.0.1', {port}))\nexcept PermissionError:\n    print('refused')\n", folder
        )
    assert lines == ["refused"]


def test_no_other_process_can_be_signalled(folder):
    lines, _ = confined("try:\n    os.kill(os.getppid(), 0)\nexcept PermissionError:\n    print('refused')\n", folder)
    assert lines == ["refused"]


def test_it_computes_no_longer_than_it_may(folder):
    _, result = confined("limit_processor_time(0.2)\nwhile True: pass", folder)
    assert result.returncode == -signal.SIGXCPU


def test_it_cannot_allocate_an_absurd_amount_of_memory(folder):
    code = "limit_address_space(1_000_000)\ntry:\n    bytearray(20_000_000_000)\nexcept MemoryError:\n    print('refused')\n"
    assert confined(code, folder)[0] == ["refused"]


def test_a_limit_that_is_lower_already_stays(folder):
    code = "resource.setrlimit(resource.RLIMIT_CPU, (50, 50))\nlimit_processor_time(1000)\n"
    assert confined(f"{code}print(resource.getrlimit(resource.RLIMIT_CPU))", folder)[0] == ["(50, 50)"]


def test_what_a_kernel_cannot_refuse_is_named():
    assert missing(7, has_filter=True) == ()
    assert missing(3, has_filter=True) == ()
    assert [right.partition(" (")[0] for right in missing(2, has_filter=True)] == ["emptying files"]
    assert [right.partition(" (")[0] for right in missing(0, has_filter=True)] == ["writing outside the output"]
    assert [right.partition(" (")[0] for right in missing(5, has_filter=False)] == [
        "starting programs and changing attributes of files",
        "signals to other processes",
    ]
    assert len(missing(-1, has_filter=False)) == 4


@pytest.mark.parametrize(
    ("wanted", "threads", "available", "workers"),
    [(8, 16, None, 8), (8, 16, 1000, 8), (8, 16, 36, 2), (8, 0, 4, 3), (1, 16, 18, 1)],
)
def test_there_are_as_many_workers_as_processes_are_allowed(wanted, threads, available, workers):
    assert workers_within_process_limit(wanted, threads=threads, available=available) == workers


def test_a_limit_that_allows_no_worker_is_an_error_with_numbers():
    with pytest.raises(RunError, match="cannot start a worker process: a worker needs 17 processes and threads, 9 are available"):
        workers_within_process_limit(4, threads=16, available=9)


def test_the_strictest_of_the_nested_groups_decides(tmp_path):
    for name, most, current in (("", "max", "90"), ("outer", "50", "20"), ("outer/inner", "100", "10")):
        folder = tmp_path / "cgroup" / "pids" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pids.max").write_text(most)
        (folder / "pids.current").write_text(current)
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text("4:memory:/x\n3:pids:/outer/inner\n")
    assert available_processes(tmp_path / "cgroup", tmp_path / "proc") == 30
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/\n")
    (tmp_path / "cgroup" / "pids.max").write_text("12")
    (tmp_path / "cgroup" / "pids.current").write_text("2")
    assert available_processes(tmp_path / "cgroup", tmp_path / "proc") == 10


def test_a_folder_that_cannot_be_opened_for_lack_of_descriptors_is_an_error_and_not_a_missing_rule(folder):
    limit = "import tempfile\ntempfile.gettempdir()\nresource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))\n"  # one more than are open
    exhausted = CONFINED.replace("print(", f"{limit}print(")
    line = [sys.executable, "-c", exhausted, str(folder)]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    if result.stdout.startswith("False"):
        pytest.skip("this kernel has no landlock")
    assert (result.stdout, result.returncode) == ("", 1)
    assert "in _allow" in result.stderr
    assert "Too many open files" in result.stderr
