"""Fixtures that run the real command in its own process on real images."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image

COMMAND = (sys.executable, "-m", "pixmill")
Pixmill = Callable[..., subprocess.CompletedProcess[str]]
pytest.register_assert_rewrite("tests.cli.everyday")  # judges assert as tests do


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment of the tests, without the variables that change the behaviour of pixmill."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_") and not name.endswith("PUT_DIR")
    }
    inherited.pop("CI", None)  # would disable the progress bar
    return {**inherited, "COLUMNS": "80"}


@pytest.fixture
def pixmill(tmp_path: Path, clean_environment: dict[str, str]) -> Pixmill:
    def run(
        *words: str | os.PathLike[str], env: Mapping[str, str] | None = None, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess[str]:
        line: Sequence[str | os.PathLike[str]] = (*COMMAND, *words)
        return subprocess.run(
            line, cwd=cwd, env={**clean_environment, **(env or {})}, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def write_picture(path: Path, *, size: tuple[int, int] = (64, 48), shade: int = 120) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 90, 60)).save(path, "PNG" if path.suffix == ".png" else "JPEG")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(4):
        write_picture(folder / f"p{number}.jpg", shade=40 * number)
    return folder


@pytest.fixture
def sizes_in(tmp_path: Path) -> Callable[[str], dict[str, tuple[int, int]]]:
    """Return a function that returns the size of every output of a folder, by name."""

    def sizes(folder: str) -> dict[str, tuple[int, int]]:
        found = {}
        for path in (tmp_path / folder).glob("[!.]*.*"):
            with Image.open(path) as picture:
                found[path.name] = picture.size
        return found

    return sizes
