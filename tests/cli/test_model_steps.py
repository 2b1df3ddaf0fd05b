"""Steps that are classes: loaded once a worker, given several images at once, confined if they say so; one pays for a fault."""

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from pixmill.engine.resources.sandbox import gaps
from support.processes import wait_until

STEPS = """
import os
import signal
import time

import pixmill

LOG = {log!r}


def note(line):
    with open(LOG, "a") as log:
        log.write(line + "\\n")


class Model(pixmill.Step):
    version = {version!r}
    memory = {memory!r}
    batch_size = 4

    def open(self):
        time.sleep({slow})
        self.pid = os.getpid()
        note(f"open {{self.pid}}")

    def batch(self, images):
        note(f"batch {{len(images)}}")
        time.sleep({pause})
        for image in images:
            if image.width == 51:
                os.kill(os.getpid(), signal.SIGSEGV)
            if image.width == 52:
                raise ValueError("unheard of")
            if image.width == 53:
                raise pixmill.Skip("too odd")
            if image.width == 54:
                time.sleep(60)
        assert self.pid == os.getpid()
        return [pixmill.Image.from_numpy(255 - image.to_numpy()) for image in images]

    def close(self):
        note(f"close {{self.pid}}")


class Confined(pixmill.Step):
    needs = {needs!r}

    def __call__(self, image):
        note("called")
        return image
"""
MODEL = ("--step", "python:function=steps.py:Model")


@pytest.fixture
def write_steps(tmp_path):
    """Return a function that writes the file of the steps; what they do is noted in ``log``."""
    (tmp_path / "notes").mkdir()

    def write(**changes):
        values = {"log": str(tmp_path / "notes" / "log"), "version": "1", "memory": "50MB", "slow": 0, "pause": 0, "needs": None}
        values |= changes
        (tmp_path / "steps.py").write_text(STEPS.format(**values))

    write()
    return write


@pytest.fixture
def notes(tmp_path, write_steps):  # noqa: ARG001  # makes the folder
    """Return a function that returns the lines of the log, and clears it."""

    def read():
        lines = (tmp_path / "notes" / "log").read_text().splitlines()
        (tmp_path / "notes" / "log").unlink()
        return lines

    return read


@pytest.fixture
def source(tmp_path):
    """Return a function that makes a folder of images with these widths."""

    def make(*widths):
        (tmp_path / "src").mkdir()
        for number, width in enumerate(widths):
            Image.new("RGB", (width, 40), (number, 9, 200)).save(tmp_path / "src" / f"{number:02}.png")
        return "src"

    return make


def pixel(path):
    with Image.open(path) as image:
        return image.convert("RGB").getpixel((5, 5))


def test_a_model_is_loaded_once_in_each_worker_and_released(pixmill, source, write_steps, notes, tmp_path):
    write_steps(slow=1.0)
    run = pixmill("run", source(*[60] * 24), "out", *MODEL, "--workers", "2", "--timeout", "900ms", "--format", "png")
    assert run.returncode == 0, run.stderr
    assert pixel(tmp_path / "out" / "03.png") == (252, 246, 55)
    lines = notes()
    opened, closed = ({line.split()[1] for line in lines if line.startswith(word)} for word in ("open", "close"))
    assert len([line for line in lines if line.startswith("open")]) == len(opened) == 2
    assert closed == opened
    assert "batch 4" in lines


def test_of_a_batch_one_image_pays(pixmill, source, notes, tmp_path):
    widths = [60] * 32
    widths[5], widths[11], widths[17], widths[25] = 51, 52, 53, 54
    run = pixmill("run", source(*widths), "out", *MODEL, "--workers", "2", "--timeout", "2s", "--json")
    assert run.returncode == 1, run.stderr
    records = map(json.loads, pixmill("failures", "out", "--json").stdout.splitlines())
    failed = {record["path"]: record["failure"]["code"] for record in records}
    assert failed == {"05.png": "crash", "11.png": "transform", "25.png": "timeout"}
    assert pixmill("rejected", "out").stdout == "17.png: too odd\n"
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 28
    assert "batch 4" in notes()


def test_another_version_of_the_class_makes_the_outputs_again(pixmill, source, write_steps):
    words = ("run", source(60, 61), "out", *MODEL)
    pixmill(*words)
    assert "skipped   2 images" in pixmill(*words).stderr
    write_steps(version="2")
    assert "done      2 images" in pixmill(*words).stderr


def test_there_are_fewer_workers_than_cores_if_each_holds_much_memory(pixmill, source, write_steps):
    write_steps(memory="900TB")
    run = pixmill("run", source(60), "out", *MODEL, "--workers", "2")
    assert "1 worker instead of 2: memory" in run.stderr


@pytest.mark.skipif(bool(gaps()), reason="this kernel confines less")
@pytest.mark.parametrize(("needs", "code"), [(None, 0), ((), 1), (("notes",), 0), (("network",), 1)])
def test_a_step_that_says_what_it_needs_is_confined_to_that(pixmill, source, write_steps, needs, code):
    write_steps(needs=needs)
    run = pixmill("run", source(60), "out", "--step", "python:function=steps.py:Confined")
    assert run.returncode == code
    assert ("Permission denied" in pixmill("failures", "out").stdout) == bool(code)


def test_a_run_that_is_killed_among_batches_goes_on_to_the_same_bytes(pixmill, source, write_steps, tmp_path, notes):
    words = ("run", source(*[60] * 40), "out", *MODEL, "--workers", "2")
    pixmill("run", "src", "undisturbed", *MODEL)
    notes()
    write_steps(pause=0.3)
    command = [sys.executable, "-m", "pixmill", *words]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL)
    wait_until(lambda: list((tmp_path / "out").glob("*.jpg")))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.jpg")}
    assert 0 < len(before) < 40
    assert pixmill(*words).returncode == 0
    made, wanted = ({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.jpg")} for name in ("out", "undisturbed"))
    assert made == wanted
    assert len(wanted) == 40
