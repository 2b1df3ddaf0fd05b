"""Pictures to run on, the trees that undisturbed runs make of them, and a count of every fault that was survived."""

import json
import os
import shutil
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.fault_run import COMMAND, Trial
from support.invariants import outputs

STEPS = Path(__file__).with_name("_steps.py")
SESSION: dict[str, Counter] = {}
MEASURED: dict[str, float] = {}


@pytest.fixture
def pictures(tmp_path):
    """Return a function that fills a folder with ``count`` JPEGs of some megapixels, all different."""
    return lambda count, side=900: fill(tmp_path / "in", count, side=side)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory):
    """Return a function that gives a folder of ``count`` pictures, made once; some die of their ``heights`` (``_steps.py``)."""
    made = {}

    def folder(count, *, side=150, heights=()):
        key = (count, side, tuple(heights))
        if key not in made:
            made[key] = fill(tmp_path_factory.mktemp("gallery"), count, side=side)
            for number, height in enumerate(heights):
                path = made[key] / f"{number % 3}" / f"poison {number:03}.jpg"
                Image.new("RGB", (240, height), (number, 90, 200)).save(path)
        return made[key]

    return folder


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Return a function that gives the tree that a run makes of a folder when nothing happens to it, poison left out."""
    made = {}

    def tree(source, words=()):
        key = (source, tuple(words))
        if key not in made:
            destination = tmp_path_factory.mktemp("undisturbed")
            line = [*COMMAND, "run", source, destination, *words, "--exclude", "*poison*"]
            subprocess.run(line, check=True, capture_output=True)
            made[key] = outputs(destination)
        return made[key]

    return tree


@pytest.fixture
def trial(request, tmp_path, undisturbed):
    """Return a function that begins a trial of a folder: see ``support.fault_run``. What it went through is counted."""
    begun = []

    def begin(source, *words, destination=None, doomed=(), expected=None):
        place = destination or tmp_path / f"out-{len(begun)}"
        begun.append(Trial(source, place, undisturbed(source, words) if expected is None else expected, words=words, doomed=doomed))
        return begun[-1]

    yield begin
    injected = sum(each.faults for each in begun)
    images = sum(len(each.expected) + len(each.doomed) for each in begun)
    lost = sum(each.lost for each in begun)
    request.node.user_properties.append(("faults", {"injected": injected, "images": images, "lost": lost}))
    for each in begun:
        each.close()


@pytest.fixture
def mounted(tmp_path):
    """Return a function that mounts a file system with these words of ``mount`` at a place of the test's, and gives the place."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*words):
        subprocess.run(["mount", *words, place], check=True)
        return place

    yield mount
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)


@pytest.fixture
def poison_step():
    """Return the words that make the height of a picture its fate."""
    return ("--step", f"python:function={STEPS}:fate")


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """Return a function that gives the environment in which the Nth system call on a folder fails (``shim.c``)."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("a C compiler builds what injects the faults")
    folder = tmp_path_factory.mktemp("shim")
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return lambda **faults: Shim(library, folder / "counter", faults)


class Shim:
    """One injection: ``environment`` for the run, and afterwards how often it ``fired`` of how many calls ``seen``."""

    def __init__(self, library, counter, faults):
        self._counter = counter
        counter.write_bytes(bytes(16))
        self.environment = {"LD_PRELOAD": str(library), "FAULT_COUNTER": str(counter)}
        self.environment.update({name: str(value) for name, value in faults.items()})

    @property
    def seen(self):
        return int.from_bytes(self._counter.read_bytes()[:8], "little")

    @property
    def fired(self):
        return int.from_bytes(self._counter.read_bytes()[8:], "little")


def fill(folder, count, *, side):
    chance = np.random.default_rng(7)
    for number in range(count):
        path = folder / f"{number % 3}" / f"photo {number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = chance.integers(0, 255, (max(2, side // 30), max(3, side // 20), 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((side * 3 // 2, side), Image.Resampling.BICUBIC).save(path, quality=90)
    return folder


def pytest_runtest_makereport(item, call):
    if call.when == "setup":
        item.user_properties.append(("rows", sorted({row for mark in item.iter_markers("row") for row in mark.args})))


def pytest_runtest_logreport(report):
    """Add up, in the process that reports, what each row of the table of faults went through."""
    properties = dict(report.user_properties)
    if report.when == "teardown" and "figure" in properties:
        MEASURED.update([properties["figure"]])
    for row in properties.get("rows", []):
        figures = SESSION.setdefault(row, Counter())
        figures[f"{report.when}-{report.outcome}"] += 1
        if report.when == "teardown":
            figures.update(properties.get("faults", {}))


def pytest_terminal_summary(terminalreporter):
    """Print what was injected, survived and lost, and write it where FAULT_FIGURES says."""
    if not SESSION or "PYTEST_XDIST_WORKER" in os.environ:
        return
    figures = {row: told(counts) for row, counts in sorted(SESSION.items(), key=lambda entry: in_order(entry[0]))}
    total = sum(each["injected"] for each in figures.values())
    lost = sum(each["lost"] for each in figures.values())
    terminalreporter.write_line(f"faults injected: {total:,}; images lost: {lost}")
    if place := os.environ.get("FAULT_FIGURES"):
        Path(place).write_text(json.dumps({"rows": figures, "measured": MEASURED}, indent=1) + "\n")


def told(counts):
    return {
        "passed": counts["call-passed"],
        "failed": counts["call-failed"] + counts["setup-failed"],
        "skipped": counts["call-skipped"] + counts["setup-skipped"],
        "injected": counts["injected"],
        "images": counts["images"],
        "lost": counts["lost"],
    }


def in_order(row):
    return row[0], int(row[1:]) if row[1:].isdigit() else 0


@pytest.fixture
def picture(gallery):
    """Return the bytes of a JPEG."""
    return next(iter(sorted(gallery(1).rglob("*.jpg")))).read_bytes()
