"""Windows has no runs, and says so before anything happens; what needs no processes works there.

The tests take from Python what it lacks on Windows: see tests/fixtures/systems. What remains is the paths of Linux.
"""

import json

import pytest

from pixmill.cli.command import commands
from support.other_systems import environment, python

PORTABLE = {"completion", "doctor", "explain"}
REFUSED = (
    "pixmill: {subject} does not work on Windows, which cannot fork processes and pass open files to them\n"
    '  use pixmill in WSL (wsl --install) or in a container; in Python, pixmill.process(image, size="800x600") works here, too\n'
)


@pytest.fixture
def windows(pixmill, clean_environment):
    """Run the command as on Windows."""
    there = environment("windows", clean_environment)
    return lambda *words: pixmill(*words, env=there)


def needed(name):
    """Return words for all arguments that the command ``name`` needs."""
    return ["photos" if each.name.startswith("SRC") or each.name == "DIR" else "out" for each in commands.get(name).arguments]


@pytest.mark.parametrize("name", sorted(set(commands.names()) - PORTABLE))
def test_a_command_that_needs_processes_or_a_ledger_is_refused_before_it_does_anything(name, windows, photos, tmp_path):
    ended = windows(name, *needed(name))
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", REFUSED.format(subject=f"pixmill {name}"))
    assert [path.name for path in tmp_path.iterdir()] == [photos.name]
    assert windows(name, "--help").returncode == 0


def test_the_commands_that_work_everywhere_work(windows, tmp_path):
    assert {name for name in commands.names() if commands.get(name).is_portable} == PORTABLE
    assert windows("--version").stdout.startswith("pixmill ")
    assert windows("--help").returncode == 0
    assert "--step resize:width=800" in windows("explain", "resize").stdout
    assert windows("completion", "bash").returncode == 0
    told = windows("doctor")
    assert (told.returncode, told.stderr) == (0, "")
    assert "\nruns       none, as this system lacks forked processes that pass open files to each other\n" in told.stdout
    assert json.loads(windows("doctor", "--json").stdout)["can_run"] is False
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_command_is_named_as_everywhere(windows):
    ended = windows("rum", "photos", "out")
    assert (ended.returncode, "unknown command 'rum'" in ended.stderr) == (2, True)


PROCESS = """
import io, json, numpy, pixmill
from PIL import Image
from pathlib import Path

recipe = pixmill.Recipe.from_toml("[[steps]]\\noperation = 'resize'\\nwidth = 60\\n")
sizes = {}
for name in ("jpeg", "png", "webp", "avif", "tiff", "gif"):
    output = pixmill.process(Path("photos/p1.jpg"), size="30x30", format=name)
    with Image.open(io.BytesIO(output)) as made:
        sizes[name] = [made.format.lower(), *made.size]
kinds = [
    "photos/p1.jpg", Path("photos/p1.jpg").read_bytes(), open("photos/p1.jpg", "rb"), Image.open("photos/p1.jpg"),
    numpy.zeros((48, 64, 3), dtype="uint8"),
]
made = [pixmill.process(kind, recipe).width for kind in kinds]
try:
    pixmill.process("photos/missing.jpg")
except pixmill.ImageError as error:
    code = error.code
print(json.dumps([sizes, made, code]))
"""


@pytest.mark.usefixtures("photos")
def test_one_image_is_processed_in_python(tmp_path):
    ended = python("windows", PROCESS, cwd=tmp_path)
    sizes, made, code = json.loads(ended.stdout or json.dumps([0, 0, ended.stderr]))
    assert sizes == {name: [name, 30, 23] for name in ("jpeg", "png", "webp", "avif", "tiff", "gif")}
    assert (made, code) == ([60] * 5, "read-vanished")


CALLS = """
run("photos", "out")
prune("out")
engine.run([pixmill.engine.Task.of("a")], pixmill.engine.HandlerRef("x:y"))
"""
REFUSAL = """
import pixmill
try:
    pixmill.{call}
except pixmill.ConfigError as error:
    print(error.code, error.message)
"""


@pytest.mark.parametrize("call", CALLS.split("\n")[1:-1])
def test_a_run_in_python_is_refused_in_words(call, photos, tmp_path):
    told = python("windows", REFUSAL.format(call=call), cwd=tmp_path)
    assert told.stdout.startswith("system "), told.stderr
    assert "does not work on Windows, which cannot fork processes" in told.stdout
    assert [path.name for path in tmp_path.iterdir()] == [photos.name]
