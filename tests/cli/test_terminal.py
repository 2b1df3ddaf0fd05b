"""The progress bar on real terminals: in tmux, in screen, and in a window that is narrowed."""

import re
import shlex
import shutil
import subprocess
import sys
import uuid

import pytest

from support.processes import wait_until

TMUX, SCREEN = shutil.which("tmux"), shutil.which("screen")
SECONDS = 60
BAR = re.compile(r"^[━╸╺ ]+ (\d)/4 \(\d+\.\d%\)", re.MULTILINE)

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed (Debian: apt install tmux)")


class Window:
    """One window of a tmux server of its own."""

    def __init__(self, command, *, columns, environment):
        self._tmux = [TMUX, "-L", f"pixmill-{uuid.uuid4().hex}", "-f", "/dev/null"]
        # the window is full: tmux puts the first lines of a short text out of reach when it wraps them in a narrower window
        line = f"seq 50; {command}; echo the end; read forever"
        self._run("new-session", "-d", "-x", str(columns), "-y", "24", line, env=environment)

    def text(self, *options):
        return self._run("capture-pane", "-p", *options)

    def resize(self, columns):
        self._run("resize-window", "-x", str(columns), "-y", "24")

    def close(self):
        self._run("kill-server")

    def _run(self, *words, **choices):
        return subprocess.run([*self._tmux, *words], check=True, capture_output=True, text=True, timeout=SECONDS, **choices).stdout


@pytest.fixture
def window(tmp_path, clean_environment, photos):
    """Return a function that runs pixmill over four photos in a window; each takes until there is another file in ``gates``."""
    step = tmp_path / "slow.py"
    gates = tmp_path / "gates"
    gates.mkdir()
    step.write_text(f"""
import os, time

def wait(image):
    for number in range(4):
        try:
            os.close(os.open({str(gates)!r} + f"/taken-{{number}}", os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            pass
    while not os.path.exists({str(gates)!r} + f"/{{number}}"):
        time.sleep(0.02)
    return image
""")
    opened = []

    def open_window(*options, columns=80, under=(), **variables):
        words = [*under, sys.executable, "-m", "pixmill", "run", photos, "out", "--workers", "1", "--timeout", "10m"]
        words += ["--step", f"python:function={step}:wait", *options]
        command = f"cd {shlex.quote(str(tmp_path))} && {shlex.join(map(str, words))}"
        environment = {name: value for name, value in clean_environment.items() if name not in ("COLUMNS", "TMUX", "STY")}
        opened.append(Window(command, columns=columns, environment={**environment, "LANG": "C.UTF-8", **variables}))
        return opened[-1]

    open_window.let = lambda *numbers: [(gates / str(number)).touch() for number in numbers]
    yield open_window
    open_window.let(0, 1, 2, 3)
    for each in opened:
        each.close()


def shows(window, number):
    """Wait for a bar that says that so many of the four are finished, and return the lines that it consists of."""

    def last():
        return [match for match in BAR.finditer(window.text()) if match[1] == str(number)]

    wait_until(last, seconds=SECONDS)
    wait_until(lambda: "img/s" in window.text()[last()[-1].start() :], seconds=SECONDS)
    return window.text()[last()[-1].start() :].splitlines()[:2]


def test_the_bar_follows_the_work_and_the_width_of_the_window(window):
    wide = window(columns=100)
    window.let(0)
    assert 80 < len(shows(wide, 1)[0]) <= 100
    wide.resize(40)
    window.let(1)
    narrow = shows(wide, 2)
    assert all(len(line) <= 40 for line in narrow)
    assert re.match(r"\d+\.\d img/s", narrow[1])
    window.let(2, 3)
    wait_until(lambda: "the end" in wide.text(), seconds=SECONDS)
    assert "found     4 images" in wide.text()
    assert not BAR.search(wide.text().partition("found     4 images")[2])


def test_a_window_that_is_narrowed_keeps_no_old_bars(window):
    terminal = window(columns=100)
    window.let(0)
    shows(terminal, 1)

    def widths_of_bars():
        return [len(line) for line in terminal.text("-S", "-").splitlines() if "━" in line]

    for columns in (70, 45, 20, 33, 90):
        terminal.resize(columns)
        wait_until(lambda expected=[columns]: widths_of_bars() == expected, seconds=SECONDS)
        wait_until(lambda: terminal.text("-S", "-").count("img/s") == 1, seconds=SECONDS)
    window.let(1, 2, 3)
    wait_until(lambda: "the end" in terminal.text(), seconds=SECONDS)
    assert "━" not in terminal.text("-S", "-")


@pytest.mark.skipif(SCREEN is None, reason="screen is not installed (Debian: apt install screen)")
def test_it_is_the_same_in_screen(window):
    inside = window(columns=60, under=("screen", "-c", "/dev/null"))
    window.let(0)
    bar, facts = shows(inside, 1)
    assert len(bar) <= 60
    assert "img/s" in facts
    window.let(1, 2, 3)
    wait_until(lambda: "the end" in inside.text(), seconds=SECONDS)


def test_no_color_is_drawn_without_colours(window):
    plain = window(NO_COLOR="1")
    window.let(0)
    shows(plain, 1)
    assert not re.search(r"\x1b\[[\d;]*3[0-8]", plain.text("-e"))  # 39 is whatever the terminal has


def test_outputs_are_counted_apart_from_images(window):
    several = window("--sizes", "16,32,48")
    window.let(0, 1)
    wait_until(lambda: re.search(r"\b6 outputs", several.text()), seconds=SECONDS)
    assert shows(several, 2)
