"""A real Docker engine, where there is one: the image is built once, and every test gets a project and folders of its own."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
USER = os.getuid() or 12345  # root stands for anybody, so somebody without a name in the image


def answers(*command):
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def engine():
    if not answers("docker", "info"):
        pytest.skip("docker info does not answer")
    if not answers("docker", "compose", "version"):
        pytest.skip("docker compose is not there")


@pytest.fixture(scope="session")
def image(engine):  # noqa: ARG001  # it needs an engine
    """The image, built from this checkout; by one test process while the others wait, and from the cache after that."""
    with (Path(tempfile.gettempdir()) / "pixmill-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = ("docker", "build", "--network", "host", "--file", "docker/Dockerfile", "--tag", "pixmill", ".")
        done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return "pixmill"


class Project:
    """One use of docker-compose.yml: ``source`` and ``destination`` are its folders, ``variables`` its environment."""

    def __init__(self, folder):
        self.name = f"pixmill-test-{uuid.uuid4().hex[:8]}"
        self.source, self.destination = folder / "in put", folder / "out"
        self.override = folder / "override.yml"
        self.variables = {
            "INPUT_DIR": str(self.source),
            "OUTPUT_DIR": str(self.destination),
            "UID": str(USER),
            "GID": str(USER),
        }
        for path in (self.source, self.destination):
            path.mkdir(parents=True)
            os.chown(path, USER, -1) if os.getuid() == 0 else None
        folder.chmod(0o755)

    def compose(self, *words, check=True, timeout=120):
        files = ["--file", str(ROOT / "docker-compose.yml"), *(["--file", str(self.override)] if self.override.exists() else [])]
        done = subprocess.run(
            ["docker", "compose", "--env-file", os.devnull, "--project-name", self.name, *files, *words],
            env={**os.environ, **self.variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, *words):
        """Run to the end; return the exit code of the container and what was printed."""
        done = self.compose("up", "--no-color", "--exit-code-from", "pixmill", *words, check=False)
        return done.returncode, done.stdout + done.stderr

    def container(self, service):
        return self.compose("ps", "--all", "--quiet", service).stdout.strip()

    def inspect(self, service, field):
        command = ("docker", "inspect", "--format", "{{" + field + "}}", self.container(service))
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(image, tmp_path):  # noqa: ARG001  # it runs the image
    made = Project(tmp_path)
    yield made
    made.compose("--profile", "watch", "down", "--volumes", "--timeout", "1")


@pytest.fixture
def picture():
    """Write a picture of any kind that Pillow writes."""

    def write(path, *, size=(64, 48), mode="RGB", noisy=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Image.effect_noise(size, 80).convert(mode) if noisy else Image.new(mode, size, "teal")
        made.save(path)
        path.chmod(0o644)

    return write
