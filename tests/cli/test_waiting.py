"""What takes longer than half a second is said: on a terminal in a line that goes away, elsewhere in one line, or not at all."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from tests.cli.conftest import COMMAND, write_picture
from tests.cli.test_terminal import SECONDS, Window

from support.processes import wait_until

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed (Debian: apt install tmux)")


@pytest.fixture
def list_of_photos(tmp_path, photos):
    """Return a pipe for standard input, and the function that writes the list of photos to it."""
    os.mkfifo(tmp_path / "list")

    def deliver():
        (tmp_path / "list").write_text("".join(f"{photo}\n" for photo in sorted(photos.iterdir())))

    return tmp_path / "list", deliver


@pytest.fixture
def window(tmp_path, clean_environment):
    opened = []

    def open_window(*words, given, columns=80):
        line = f"cd {shlex.quote(str(tmp_path))} && {shlex.join([sys.executable, '-m', 'pixmill', *words])} < {given}"
        environment = {name: value for name, value in clean_environment.items() if name not in ("COLUMNS", "TMUX", "STY")}
        opened.append(Window(line, columns=columns, environment={**environment, "LANG": "C.UTF-8"}))
        return opened[-1]

    yield open_window
    for each in opened:
        each.close()


@needs_tmux
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_terminal_shows_what_is_waited_for_and_then_no_trace_of_it(window, list_of_photos, command):
    given, _ = list_of_photos
    terminal = window(command, "-", "out", given=given)
    with given.open("w"):
        wait_until(lambda: "reading - ... " in terminal.text(), seconds=SECONDS)
    wait_until(lambda: "the end" in terminal.text(), seconds=SECONDS)
    assert "reading" not in terminal.text("-S", "-")
    assert "no images found in -" in terminal.text()


@needs_tmux
def test_a_window_that_is_narrowed_keeps_no_trace_either(window, list_of_photos):
    given, _ = list_of_photos
    terminal = window("plan", "-", "a-destination-with-a-long-name/" * 2, given=given, columns=90)
    with given.open("w"):
        for columns in (90, 12, 50, 7):
            terminal.resize(columns)
            expected = "reading - ... "[: columns - 1].strip()
            wait_until(lambda word=expected: terminal.text("-S", "-").count(word) == 1, seconds=SECONDS)
    wait_until(lambda: "the end" in terminal.text(), seconds=SECONDS)
    terminal.resize(90)
    assert "reading" not in terminal.text("-S", "-")


@pytest.mark.parametrize(("words", "told"), [((), 1), (("--quiet",), 0), (("--progress", "none"), 0)])
def test_a_log_gets_one_line_or_none(tmp_path, clean_environment, words, told):
    write_picture(tmp_path / "a.jpg")
    process = subprocess.Popen(
        [*COMMAND, "run", "-", "out", *words],
        cwd=tmp_path,
        env=clean_environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(8)  # longer than the five seconds after which a line is due
    _, errors = process.communicate("a.jpg\n", timeout=SECONDS)
    assert process.returncode == 0
    assert [line for line in errors.splitlines() if "..." in line] == ["reading - ..."] * told
    assert "\x1b" not in errors


def test_a_short_command_says_nothing_about_waiting(pixmill, photos):
    assert "..." not in pixmill("run", photos, "out").stderr
