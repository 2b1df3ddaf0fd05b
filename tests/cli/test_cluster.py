"""The command on a cluster: its messages when there is none, and a run on a cluster that it starts itself."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from PIL import Image

from support import invariants
from support.fault_run import COMMAND, DONE, MISUSED, STOPPED

WITHOUT = "import sys; sys.modules[{engine!r}] = None; from pixmill.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    for shade in range(8):
        Image.new("RGB", (640, 480), (shade * 30, 90, 60)).save(folder / f"{shade}.jpg")
    return folder


def pixmill(*words, command=COMMAND, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run([*command, "run", *words], capture_output=True, text=True, check=False, env=environment, timeout=240)


@pytest.mark.parametrize(("extra", "engine"), [("ray", "ray"), ("dask", "distributed")])
def test_a_missing_engine_is_named_with_what_to_install(source, tmp_path, extra, engine):
    ended = pixmill(source, tmp_path / "out", "--executor", extra, command=[sys.executable, "-c", WITHOUT.format(engine=engine)])
    assert ended.returncode == MISUSED
    assert f"--executor {extra} needs the extra '{extra}'" in ended.stderr
    assert f"pip install 'pixmill[{extra}]'" in ended.stderr


def test_an_address_is_refused_where_nobody_is_reached(source, tmp_path):
    ended = pixmill(source, tmp_path / "out", "--address", "10.0.0.1:6379")
    assert ended.returncode == MISUSED
    assert "--address goes with --executor ray or dask" in ended.stderr


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")
def test_nobody_at_the_address_is_said_at_once(source, tmp_path):
    ended = pixmill(source, tmp_path / "out", "--executor", "ray", "--address", "127.0.0.1:1")
    assert ended.returncode == STOPPED
    assert "no Ray cluster can be used at 127.0.0.1:1" in ended.stderr
    assert "is --address (or RAY_ADDRESS) right" in ended.stderr


@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
def test_dask_in_this_process_makes_what_the_local_executor_makes(source, tmp_path):
    assert pixmill(source, tmp_path / "local").returncode == DONE
    ended = pixmill(source, tmp_path / "dask", "--executor", "dask")
    assert ended.returncode == DONE, ended.stderr
    assert invariants.outputs(tmp_path / "dask") == invariants.outputs(tmp_path / "local")
