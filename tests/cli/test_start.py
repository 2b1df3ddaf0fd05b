"""A run of one image imports little: the start of three processes takes most of its time."""

import json
import subprocess
import sys

import pytest
from PIL import Image

#: Modules that take long to import, and that a plain run of a JPEG into a folder does not need.
HEAVY = ("asyncio", "email", "http", "importlib.metadata", "importlib.resources", "ssl", "urllib.request", "xml.sax", "zipfile")
ONLY_IN_WORKERS = ("numpy", "PIL", "simplejpeg", "cykooz_resizer", "tempfile")
ONLY_FOR_TERMINALS = ("rich", "prometheus_client")

COMMAND = """
import atexit, json, sys
from pixmill.cli.main import main
sys.argv = ["pixmill", "run", "in", "out", "--quiet"]
atexit.register(lambda: print(json.dumps(sorted(sys.modules))))
sys.exit(main())
"""
FORK_SERVER = """
import json, sys, pixmill.engine.forkserver.process, pixmill.batch.worker.warm_up
print(json.dumps(sorted(sys.modules)))
"""


def modules_of(program, folder):
    line = [sys.executable, "-c", program]
    ended = subprocess.run(line, cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(ended.stdout)


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "in").mkdir()
    Image.effect_noise((800, 600), 40).convert("RGB").save(tmp_path / "in/photo.jpg")
    return tmp_path


def among(modules, packages):
    return [name for name in modules if any(name == package or name.startswith(f"{package}.") for package in packages)]


def test_the_command_imports_nothing_heavy_for_one_image(photo):
    modules = modules_of(COMMAND, photo)
    assert (photo / "out/photo.jpg").exists()
    assert among(modules, (*HEAVY, *ONLY_IN_WORKERS, *ONLY_FOR_TERMINALS)) == []
    assert len(among(modules, ["pixmill"])) <= 410


def test_the_fork_server_imports_nothing_heavy_that_no_image_needs(photo):
    modules = modules_of(FORK_SERVER, photo)
    assert among(modules, (*HEAVY, *ONLY_FOR_TERMINALS, "sqlite3", "argparse")) == []
    assert len(among(modules, ["pixmill"])) <= 240
