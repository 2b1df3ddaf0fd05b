"""Starts Python as on another system: on Linux, with what that system lacks taken away. See tests/fixtures/systems."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
SYSTEMS = ROOT / "tests" / "fixtures" / "systems"
COMMAND = (sys.executable, "-m", "pixmill")


def environment(system: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of processes on ``system``, ``macos`` or ``windows``; their children are there, too."""
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(SYSTEMS / system), str(ROOT / "src")])}


def python(system: str, program: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program on ``system``."""
    line, there = [sys.executable, "-c", program], environment(system, os.environ)
    return subprocess.run(line, cwd=cwd, env=there, capture_output=True, text=True, timeout=120, check=False)
