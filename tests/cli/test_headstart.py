"""The nursery of a run is started before all else, used, and gone whatever the command was."""

import os
import subprocess
import sys

import pytest

from pixmill.engine.resources.cpu import usable_cores
from support.processes import of_session

pytestmark = [
    pytest.mark.skipif(usable_cores() < 2, reason="on one core nothing is started ahead"),
    pytest.mark.usefixtures("photos"),
]

#: Notes in a file when the interpreter of a command (nurseries are given ``-c``) starts a process, and when it looks at its line.
LISTENER = """
import sys
NOTES = {{"os.posix_spawn": "start", "pixmill.cli.dispatch": "look"}}
def hear(event, arguments):
    note = NOTES.get(arguments[0] if event == "import" else event)
    if note:
        with open({log!r}, "a") as log:
            log.write(note + " ")
if "-c" not in sys.orig_argv:
    sys.addaudithook(hear)
"""


@pytest.fixture
def told(tmp_path, clean_environment):
    """Return a function that runs a command line: its exit code, what it said, what it did in which order, and whom it left."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(LISTENER.format(log=str(tmp_path / "log")))
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    (tmp_path / "alone.toml").write_text('executor = "inline"\n')

    def told(line, *, redirection="", **variables):
        (tmp_path / "log").unlink(missing_ok=True)
        with subprocess.Popen(
            ["sh", "-c", f"exec {sys.executable} -m pixmill {line} {redirection}"], cwd=tmp_path, start_new_session=True, text=True,
            env={**clean_environment, **variables, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as command:  # fmt: skip
            said, _ = command.communicate(timeout=120)
        return command.returncode, said, (tmp_path / "log").read_text().strip(), of_session(command.pid)

    return told


def test_a_run_starts_one_nursery_before_it_even_looks_at_the_line_and_uses_it(told):
    assert told("run photos out --quiet") == (0, "", "start look", [])
    assert told("retry out --quiet") == (0, "", "start look", [])
    code, _, order, left = told("report out")
    assert (code, order, left) == (0, "start look", [])


@pytest.mark.parametrize(
    ("line", "code"),
    [("run photos", 2), ("run photos out --sise 3", 2), ("run nowhere out", 2), ("run photos out --config nowhere.toml", 2),
     ("retry nowhere", 2), ("run photos photos/p0.jpg", 2)],
)  # fmt: skip
def test_a_line_with_an_error_says_so_and_leaves_nobody(told, line, code):
    got, said, order, left = told(line)
    assert (got, order, left) == (code, "start look", [])
    assert said.startswith("pixmill: ")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "line",
    ["run --help", "help run", "run photos out --dry-run", "plan photos out", "run photos out --executor inline --quiet",
     "run photos out --executor=inline --quiet", "status photos", "explain", ""],
)  # fmt: skip
def test_where_there_is_no_run_on_this_machine_nothing_is_started(told, line):
    _, _, order, left = told(line)
    assert (order, left) == ("look", [])


def test_a_variable_may_say_where_to_run_too(told):
    assert told("run photos out --quiet", PIXMILL_EXECUTOR="inline") == (0, "", "look", [])


def test_where_a_file_says_where_to_run_it_is_found_out_too_late_and_leaves_nobody(told):
    assert told("run photos out --quiet --config alone.toml") == (0, "", "start look", [])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_with_a_standard_stream_closed_no_file_of_a_nursery_gets_its_number(told, closed):
    assert told("run photos out --quiet", redirection=closed) == (0, "", "look start", [])
