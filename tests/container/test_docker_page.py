"""The first commands of docs/docker.md, typed literally into a shell, in a copy of what a clone has."""

import os
import signal
import subprocess
import time

import pytest

from support.checkout import ROOT, copy_checkout

DEADLINE = 120.0


def commands():
    """Return the commands before the first heading: each line of the blocks up to what explains it."""
    section = (ROOT / "docs" / "docker.md").read_text().partition("\n## ")[0]
    blocks = section.split("```")[1::2]
    return [line.partition("   ")[0].strip() for block in blocks for line in block.splitlines()[1:] if line.strip()]


@pytest.fixture
def clone(image, tmp_path):  # noqa: ARG001  # it runs the image
    folder = tmp_path / f"pixmill-readme-{os.getpid()}"
    copy_checkout(folder)
    yield folder
    subprocess.run(
        ("docker", "compose", "--profile", "watch", "down", "--timeout", "1"), cwd=folder, check=True, capture_output=True
    )


def test_the_page_is_right(clone, picture):
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
