import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from pixmill.engine.policy import Policy

DOCKER_STOP = 10  # seconds from its SIGTERM to its SIGKILL
SLOW_STEP = """
import time
from pathlib import Path


def wait(image):
    Path("began").touch()
    time.sleep(300)
    return image
"""


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.fixture
def started(tmp_path, clean_environment):
    """Start pixmill and hand it over; whatever happens it is gone afterwards."""

    @contextmanager
    def start(*words):
        with (tmp_path / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "pixmill", *map(str, words)],
                cwd=tmp_path,
                env=clean_environment,
                stderr=err,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    return start


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_the_first_signal_finishes_what_is_in_flight_and_the_next_run_does_the_rest(
    number, code, started, pixmill, photos, tmp_path
):
    for copy in range(20):
        (photos / f"copy{copy}.jpg").write_bytes((photos / "p0.jpg").read_bytes())
    out = tmp_path / "out"
    with started("run", photos, out, "--max-rate", "4/s", "--workers", "1") as process:
        wait_for(lambda: len(list(out.glob("*.jpg"))) >= 2)
        process.send_signal(number)
        assert process.wait(timeout=60) == code
    said = (tmp_path / "stderr").read_text()
    assert "in flight" in said
    assert "To resume, run the same command again." in said
    assert "Traceback" not in said
    first = {path.name: path.stat().st_mtime_ns for path in out.glob("*.jpg")}
    assert 2 <= len(first) < 24
    assert pixmill("run", photos, "out").returncode == 0
    second = {path.name: path.stat().st_mtime_ns for path in out.glob("*.jpg")}
    assert len(second) == 24
    assert first.items() <= second.items()


def test_the_second_signal_stops_at_once(started, photos, tmp_path):
    (tmp_path / "steps.py").write_text(SLOW_STEP)
    with started("run", photos, "out", "--step", "python:function=steps.py:wait", "--grace", "5m", "--timeout", "10m") as process:
        wait_for((tmp_path / "began").exists)
        process.send_signal(signal.SIGINT)
        wait_for(lambda: "in flight; press Ctrl-C again to stop immediately" in (tmp_path / "stderr").read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert "stopping immediately" in (tmp_path / "stderr").read_text()
    assert list((tmp_path / "out").glob("*.jpg")) == []


def test_a_signal_that_is_ignored_stays_ignored(started, photos, tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; a child inherits it
    try:
        with started("run", photos, "out", "--max-rate", "2/s", "--workers", "1") as process:
            wait_for(lambda: any((tmp_path / "out").glob("*.jpg")))
            process.send_signal(signal.SIGHUP)
            assert process.wait(timeout=60) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


ENDING = """
import atexit, os, signal, sys
from pixmill.cli.main import main
atexit.register(os.kill, os.getpid(), int(sys.argv.pop(1)))
sys.exit(main())
"""


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("words", "code"), [(("run", "photos", "out", "--quiet"), 0), (("run", "photos"), 2)])
def test_a_signal_that_comes_when_all_is_said_changes_nothing(tmp_path, clean_environment, number, words, code):
    command = [sys.executable, "-c", ENDING, str(int(number)), *words]
    ended = subprocess.run(command, cwd=tmp_path, env=clean_environment, capture_output=True, timeout=60, check=False)
    assert ended.returncode == code, ended.stderr


def test_there_is_time_to_end_after_the_grace_period_before_docker_stop_kills():
    assert Policy().grace <= DOCKER_STOP - 2
