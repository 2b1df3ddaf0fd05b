"""Fixtures that run Python programs as users write them, in a folder of their own."""

import os
import subprocess
import sys

import pytest
from PIL import Image


@pytest.fixture
def desk(tmp_path):
    """Return a folder that holds only what the examples process: two photos in ``photos``, and ``photo.jpg``."""
    (tmp_path / "photos").mkdir()
    for path, size in {"photos/a.jpg": (2000, 1000), "photos/b.jpg": (1400, 1600), "photo.jpg": (800, 600)}.items():
        Image.linear_gradient("L").resize(size).convert("RGB").save(tmp_path / path)
    return tmp_path


@pytest.fixture
def python(desk):
    """Return a function that runs ``python`` with these arguments in the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_")}

    def run(*arguments, **options):
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=desk, env=environment, capture_output=True, text=True, timeout=240, check=False, **options
        )

    return run
