"""The fork server of a run is started first, used, and gone at the end, whatever the command was."""

import os
import subprocess
import sys

import pytest

from pixmill.engine.resources.cpu import usable_cores
from support.processes import of_session

pytestmark = [
    pytest.mark.skipif(usable_cores() < 2, reason="on one core nothing is pre-started"),
    pytest.mark.usefixtures("photos"),
]

#: Logs when the interpreter of a command (fork servers run with ``-c``) starts a process, and when it parses its command line.
LISTENER = """
import sys
NOTES = {{"os.posix_spawn": "start", "pixmill.cli.dispatch": "parse"}}
def record(event, arguments):
    note = NOTES.get(arguments[0] if event == "import" else event)
    if note:
        with open({log!r}, "a") as log:
            log.write(note + " ")
if "-c" not in sys.orig_argv:
    sys.addaudithook(record)
"""


@pytest.fixture
def run(tmp_path, clean_environment):
    """Return a function that runs a command line and returns its exit code, output, actions in order, and leftover processes."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(LISTENER.format(log=str(tmp_path / "log")))
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    (tmp_path / "inline.toml").write_text('executor = "inline"\n')

    def run(line, *, redirection="", **variables):
        (tmp_path / "log").unlink(missing_ok=True)
        with subprocess.Popen(
            ["sh", "-c", f"exec {sys.executable} -m pixmill {line} {redirection}"], cwd=tmp_path, start_new_session=True, text=True,
            env={**clean_environment, **variables, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as command:  # fmt: skip
            output, _ = command.communicate(timeout=120)
        return command.returncode, output, (tmp_path / "log").read_text().strip(), of_session(command.pid)

    return run


def test_a_run_starts_one_fork_server_before_it_parses_the_command_line_and_uses_it(run):
    assert run("run photos out --quiet") == (0, "", "start parse", [])
    assert run("retry out --quiet") == (0, "", "start parse", [])
    code, _, order, left = run("report out")
    assert (code, order, left) == (0, "start parse", [])


@pytest.mark.parametrize(
    ("line", "code"),
    [("run photos", 2), ("run photos out --sise 3", 2), ("run nowhere out", 2), ("run photos out --config nowhere.toml", 2),
     ("retry nowhere", 2), ("run photos photos/p0.jpg", 2)],
)  # fmt: skip
def test_a_line_with_an_error_says_so_and_leaves_no_process(run, line, code):
    actual, output, order, left = run(line)
    assert (actual, order, left) == (code, "start parse", [])
    assert output.startswith("pixmill: ")
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "line",
    ["run --help", "help run", "run photos out --dry-run", "plan photos out", "run photos out --executor inline --quiet",
     "run photos out --executor=inline --quiet", "status photos", "explain", ""],
)  # fmt: skip
def test_without_a_run_on_this_machine_nothing_is_started(run, line):
    _, _, order, left = run(line)
    assert (order, left) == ("parse", [])


def test_a_variable_may_select_the_executor_too(run):
    assert run("run photos out --quiet", PIXMILL_EXECUTOR="inline") == (0, "", "parse", [])


def test_an_executor_from_a_file_is_read_too_late_but_leaves_no_process(run):
    assert run("run photos out --quiet --config inline.toml") == (0, "", "start parse", [])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_with_a_closed_standard_stream_no_file_of_a_fork_server_gets_its_number(run, closed):
    assert run("run photos out --quiet", redirection=closed) == (0, "", "parse start", [])
