"""What the workflow does on macOS and Windows does what it should on what Python has there (tests/fixtures/systems)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.other_systems import environment

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")


def script(job):
    """Return all commands of a job but those that install or test."""
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"][job]["steps"]
    return "\n".join(step["run"] for step in steps if "run" in step and "pip install" not in step["run"])


@pytest.mark.parametrize(("system", "last"), [("macos", "match the ledger"), ("windows", "does not work on Windows")])
def test_the_commands_of_a_job_succeed(system, last, tmp_path):
    commands = script(system)
    assert commands.count("python -m pixmill") > 4
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "python").chmod(0o755)
    there = environment(system, {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})
    line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands]
    ended = subprocess.run(line, cwd=tmp_path, env=there, capture_output=True, text=True, check=False)
    assert (ended.returncode, last in ended.stderr) == (0, True), ended.stderr
