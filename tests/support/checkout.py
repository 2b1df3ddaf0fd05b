"""A copy of the files that a clone of the repository needs to build the container, and whether there is an engine to build it."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SHIPPED = (
    "docker",
    "docs/reference/man",
    "src",
    "docker-compose.yml",
    ".dockerignore",
    "pyproject.toml",
    "requirements.txt",
    "README.md",
    "LICENSE",
)


def has_container_engine() -> bool:
    """Return whether a Docker engine answers."""
    return (
        shutil.which("docker") is not None and subprocess.run(("docker", "info"), capture_output=True, check=False).returncode == 0
    )


def copy_checkout(folder: Path) -> None:
    """Write what a clone has to the new ``folder``, with empty folders for images, and this user as the owner of outputs."""
    folder.mkdir()
    for name in _SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in ("input", "output"):
        (folder / "data" / name).mkdir(parents=True)
    (folder / ".env").write_text(f"UID={os.getuid()}\nGID={os.getgid()}\n")
