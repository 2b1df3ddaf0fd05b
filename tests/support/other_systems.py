"""Starts Python as on another system: on Linux, with what that system lacks taken away. See tests/fixtures/systems."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
SYSTEMS = ROOT / "tests" / "fixtures" / "systems"
#: the systems, and their names in Python: on the system itself nothing is taken away
PLATFORMS = {"macos": "darwin", "windows": "win32"}
COMMAND = (sys.executable, "-m", "pixmill")


def environment(system: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of processes on ``system``, ``macos`` or ``windows``; their children are there, too."""
    simulation = [] if sys.platform == PLATFORMS[system] else [str(SYSTEMS / system)]
    return {**inherited, "PYTHONPATH": os.pathsep.join([*simulation, str(ROOT / "src")])}


def python(system: str, program: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program on ``system``."""
    line, there = [sys.executable, "-c", program], environment(system, os.environ)
    return subprocess.run(line, cwd=cwd, env=there, capture_output=True, text=True, timeout=120, check=False)
