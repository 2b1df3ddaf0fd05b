"""What a type checker says of programs that use the API: nothing of right ones, an error in each wrong line."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from support.documented_programs import documented_programs

PYRIGHT = shutil.which("pyright")
RIGHT = """
from pathlib import Path
from typing import Unpack

import numpy as np
from PIL import Image

import pixmill
from pixmill import engine


def step(image: pixmill.Image) -> pixmill.Image:
    return image


def handler(payload: bytes) -> bytes:
    return payload


def wrapper(**options: Unpack[pixmill.RunOptions]) -> pixmill.Report:
    return pixmill.run("a", Path("b"), **options)


recipe = pixmill.Recipe(
    steps=["resize:width=9", {"operation": "sharpen"}, step],
    renditions=[pixmill.Rendition(name="s", encode="webp:quality=70"), {"name": "l"}],
    background="white",
    limits={"max_pixels": "1GP"},
)
report: pixmill.Report = wrapper(workers=2, jobs=2, overwrite=True, width=3)
pixmill.run("a", "b", recipe, include=["*.jpg"], timeout="30s", memory="2GB", state=Path("s"), progress=True)
pixmill.run("a", "b", {"steps": ["sharpen"]}, size="keep", timeout=3.5, step=["sharpen"], format={"format": "webp"})
pixmill.run("a", "b", Path("recipe.toml"), sizes=[1, 2], formats=("webp", "jpeg"), preserve=["mtime"], shard="1/2")
with pixmill.open_run("a", "b") as run:
    for image in run.results():
        names: list[str] = [file.path for file in image.outputs]
with pixmill.open_run("a", "b") as run:
    for outcome in run:
        if isinstance(outcome, engine.Failed):
            code: str = outcome.failure.code
output: bytes = pixmill.process(b"", size=3)
with open("a.jpg", "rb") as file, Image.open("a.jpg") as picture:
    for source in (pixmill.process(file), pixmill.process(picture), pixmill.process(np.zeros((3, 4), dtype=np.uint8))):
        width: int = source.width
outputs: tuple[pixmill.Output, ...] = pixmill.process_all(Path("a.jpg"), recipe)
counts: engine.Counts = pixmill.engine.run([engine.Task.of("a")], handler, workers=2)
"""
WRONG = """
pixmill.run("a", "b", wrokers=3)
pixmill.run("a", "b", workers="3")
pixmill.run("a", "b", fit="crop")
pixmill.run("a", "b", include="*.jpg")
pixmill.run("a", "b", preserve=["ctime"])
pixmill.run("a", "b", progres=True)
pixmill.run("a")
pixmill.open_run("a", "b", sise="3")
pixmill.process(b"", workers=3)
pixmill.process_all(b"", workers=3)
pixmill.process(3)
pixmill.process(open("a.txt"))
pixmill.Recipe(stpes=[])
pixmill.Recipe(color="rgb")
pixmill.Rendition(encod="webp")
pixmill.rnu("a", "b")
pixmill.Recpie
pixmill.engine.rnu([], print)
pixmill.engine.run([], 3)
pixmill.engine.Tsk
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Return a folder with the programs: right ones, documented ones, and ``wrong.py``."""
    folder = tmp_path_factory.mktemp("programs")
    for name, program in {**documented_programs(), "right.py": RIGHT, "wrong.py": f"import pixmill{WRONG}"}.items():
        (folder / name).write_text(program)
    return folder


def mypy(folder):
    """Return the errors as pairs of a file and a line."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-pretty", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode < 2, done.stdout + done.stderr
    return {(name, int(line)) for name, line in re.findall(r"^(\S+\.py):(\d+): error:", done.stdout, re.MULTILINE)}


def pyright(folder):
    """Return the errors as pairs of a file and a line."""
    command = [PYRIGHT, "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {(each["file"].rpartition("/")[2], each["range"]["start"]["line"] + 1) for each in found if each["severity"] == "error"}


@pytest.fixture(
    scope="module",
    params=[
        mypy,
        pytest.param(pyright, marks=pytest.mark.skipif(PYRIGHT is None, reason="pyright is not installed (npm install pyright)")),
    ],
)
def errors(request, programs):
    return request.param(programs)


@pytest.mark.slow
def test_every_wrong_line_is_an_error_and_no_other(errors):
    lines = range(2, 2 + len(WRONG.strip().splitlines()))
    assert errors == {("wrong.py", line) for line in lines}
