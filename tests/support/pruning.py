"""Runs and prunings of an output folder by the real command, each of which has to succeed."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from support.invariants import outputs

Pixmill = Callable[..., subprocess.CompletedProcess[str]]
Word = str | os.PathLike[str]


def draw(path: Path, shade: int = 120, size: tuple[int, int] = (40, 30)) -> None:
    """Write a picture of one colour, another for each ``shade``, in the format of the extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade % 256, 90, shade // 256)).save(path)


def run(pixmill: Pixmill, *words: Word) -> None:
    """Run ``pixmill run``."""
    ended = pixmill("run", *words, "--quiet")
    assert ended.returncode == 0, ended.stderr


def prune(pixmill: Pixmill, *words: Word) -> dict[str, Any]:
    """Run ``pixmill prune`` and return its record."""
    ended = pixmill("prune", *words, "--json")
    assert ended.returncode == 0, ended.stderr
    record: dict[str, Any] = json.loads(ended.stdout)
    return record


def names(folder: Path) -> list[str]:
    """Return the names of all outputs in ``folder``, sorted."""
    return sorted(outputs(folder))
