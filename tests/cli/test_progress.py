import os
import pty
import re
import subprocess
import sys
import termios
from contextlib import suppress

import pytest

LINE = re.compile(
    r"\[(IN PROGRESS|DONE|STOPPED)\] (\d+/\d+ \(\d+\.\d%\)|\d+ of \d+ found so far)"
    r" \| \d+\.\d img/s \| -?\d+\.\d MB saved \| Errors: \d+"
)


@pytest.fixture
def on_a_terminal(tmp_path, clean_environment):
    """Run pixmill on a terminal of its own, ``columns`` wide, and return its exit code and all that was written there."""

    def run(*words, columns=80, **variables):
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        environment = {**clean_environment, "TERM": "xterm-256color", **variables}
        environment.pop("COLUMNS")
        line = [sys.executable, "-m", "pixmill", *map(str, words)]
        with subprocess.Popen(line, cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            written = b""
            with suppress(OSError):  # EIO: the terminal has no other end any more
                while part := os.read(ours, 65536):
                    written += part
            os.close(ours)
        return process.returncode, written.decode()

    return run


def test_off_a_terminal_progress_is_lines_of_one_form(pixmill, photos):
    (photos / "bad.jpg").write_bytes(b"no picture")
    result = pixmill("run", photos, "out", "--max-rate", "1/s", "--workers", "1")
    lines = [line for line in result.stderr.splitlines() if line.startswith("[")]
    assert all(LINE.fullmatch(line) for line in lines)
    assert lines[-1].startswith("[DONE] 5/5 (100.0%) | ")
    assert lines[-1].endswith(" | Errors: 1")
    shares = [float(re.search(r"\((.*)%\)", line)[1]) for line in lines[:-1]]
    assert shares == sorted(shares)
    assert len(shares) >= 2
    assert "\x1b" not in result.stderr


def test_on_a_terminal_a_bar_shows_how_far_it_is(on_a_terminal, photos):
    code, written = on_a_terminal("run", photos, "out", "--max-rate", "1/s", "--workers", "1")
    assert code == 0
    assert re.search(r"[1-3]/4 \(\d+\.\d%\)", written)
    assert "img/s" in written
    assert "\x1b[?25h" in written  # the cursor is there again
    assert "[IN PROGRESS]" not in written
    assert written.index("found     4 images") > written.rindex("/4 (")


def test_no_color_means_no_colour(on_a_terminal, photos):
    colour = re.compile(r"\x1b\[[\d;]*3\d[\d;]*m")
    assert colour.search(on_a_terminal("run", photos, "a", "--max-rate", "4/s")[1])
    assert not colour.search(on_a_terminal("run", photos, "b", "--max-rate", "4/s", NO_COLOR="1")[1])


def test_a_terminal_that_cannot_draw_gets_lines(on_a_terminal, photos):
    code, written = on_a_terminal("run", photos, "out", TERM="dumb")
    assert code == 0
    assert "[DONE] 4/4 (100.0%)" in written
    assert "\x1b" not in written


def test_a_log_of_ci_gets_lines_even_when_it_looks_like_a_terminal(on_a_terminal, photos):
    _, written = on_a_terminal("run", photos, "out", CI="true")
    assert "[DONE] 4/4 (100.0%)" in written
    assert "\x1b" not in written


def test_the_summary_is_wrapped_between_words_where_the_terminal_is_narrow(on_a_terminal, photos):
    _, written = on_a_terminal("run", photos, "out", "--progress", "none", columns=40)
    lines = written.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("makes     JPEG, quality 85; ")
    assert "found     4 images" in lines
    assert any(line.startswith(" " * 10) for line in lines)


def test_events_and_a_bar_do_not_share_a_terminal(on_a_terminal, photos):
    _, written = on_a_terminal("run", photos, "out", "--json")
    assert "[DONE] 4/4 (100.0%)" in written
    assert "\x1b" not in written


@pytest.mark.parametrize(("wanted", "shown"), [("none", ""), ("plain", "[DONE] 4/4")])
def test_progress_can_be_chosen(pixmill, photos, wanted, shown):
    result = pixmill("run", photos, "out", "--progress", wanted)
    assert shown in result.stderr
    assert ("[" in result.stderr) == bool(shown)
    assert "found     4 images" in result.stderr
