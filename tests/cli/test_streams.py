"""stdout and stderr may be closed, full or gone; the run completes anyway."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = f"{sys.executable} -m pixmill run photos out"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def shell(tmp_path, clean_environment, photos):
    assert photos.exists()

    def run(line):
        result = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=clean_environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in result.stderr
        assert "Exception ignored" not in result.stderr
        return result, len(list((tmp_path / "out").glob("*.jpg")))

    return run


def test_a_reader_that_goes_away_ends_the_printing_and_not_the_run(shell):
    result, made = shell(f"{RUN} --json | head -1; exit ${{PIPESTATUS[0]}}")
    assert (result.returncode, made) == (0, 4)
    assert json.loads(result.stdout)["event"] == "run_started"


def test_closed_streams_do_not_matter(shell):
    result, made = shell(f"{RUN} >&- 2>&- <&-")
    assert (result.returncode, made) == (0, 4)


@FULL
def test_a_full_stderr_costs_the_progress_only(shell):
    result, made = shell(f"{RUN} 2>/dev/full")
    assert (result.returncode, made) == (0, 4)


@FULL
def test_results_that_could_not_be_printed_are_not_called_a_success(shell):
    result, made = shell(f"{RUN} --json --quiet >/dev/full")
    assert (result.returncode, made) == (3, 4)
    assert result.stderr == "pixmill: cannot write results to standard output: No space left on device\n"


def test_a_locale_without_the_characters_is_no_obstacle(shell, tmp_path):
    (tmp_path / "photos" / "p0.jpg").rename(tmp_path / "photos" / "плёнка.jpg")
    result, made = shell(f"LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 {RUN} && LC_ALL=C PYTHONUTF8=0 {RUN} --dry-run --force")
    assert (result.returncode, made) == (0, 4)
