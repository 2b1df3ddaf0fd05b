"""The README's section on Docker, typed literally into a shell, in a copy of what a clone has."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("docker", "src", "docker-compose.yml", ".dockerignore", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
DEADLINE = 120.0


def commands():
    """Return the commands of the section: each line of its blocks up to what explains it."""
    section = (ROOT / "README.md").read_text().partition("## With Docker")[2].partition("\n## ")[0]
    blocks = section.split("```")[1::2]
    return [line.partition("   ")[0].strip() for block in blocks for line in block.splitlines()[1:] if line.strip()]


@pytest.fixture
def clone(image, tmp_path):  # noqa: ARG001  # it runs the image
    folder = tmp_path / f"pixmill-readme-{os.getpid()}"
    folder.mkdir()
    for name in SHIPPED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, folder / name)
    for name in ("input", "output"):
        (folder / "data" / name).mkdir(parents=True)
    (folder / ".env").write_text(f"UID={os.getuid()}\nGID={os.getgid()}\n")
    yield folder
    subprocess.run(
        ("docker", "compose", "--profile", "watch", "down", "--timeout", "1"), cwd=folder, check=True, capture_output=True
    )


def test_the_readme_is_right(clone, picture):
    typed = [command for command in commands() if command.startswith("docker compose")]
    once, watching = (next(command for command in typed if ("watch" in command) is is_watching) for is_watching in (False, True))
    picture(clone / "data" / "input" / "a.png", mode="RGBA")
    done = subprocess.run(once, shell=True, cwd=clone, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert (clone / "data" / "output" / "a.jpg").exists(), done.stdout + done.stderr
    watcher = subprocess.Popen(
        watching, shell=True, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    picture(clone / "data" / "input" / "b.jpg")
    end = time.monotonic() + DEADLINE
    while not (clone / "data" / "output" / "b.jpg").exists():
        assert watcher.poll() is None, watcher.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.2)
    os.killpg(watcher.pid, signal.SIGINT)
    watcher.communicate(timeout=DEADLINE)
