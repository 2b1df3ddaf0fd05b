"""What each part of pixmill loads, seen from a fresh interpreter."""

import subprocess
import sys

import pytest

import pixmill

HEAVY = ["rich", "sqlite3", "argparse", "PIL", "numpy", "pyvips", "simplejpeg", "multiprocessing", "asyncio"]


def loaded_by(statement):
    program = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split())


def test_importing_pixmill_loads_nothing_heavy():
    assert loaded_by("import pixmill") & set(HEAVY) == set()


def test_a_worker_loads_no_terminal_no_database_and_no_command_line():
    assert loaded_by("import pixmill.batch.worker.handler, pixmill.engine.worker.loop") & {"rich", "sqlite3", "argparse"} == set()


def test_the_extras_are_not_loaded_unless_they_are_asked_for():
    extras = {
        "pi_heif",
        "pillow_heif",
        "pillow_jxl",
        "prometheus_client",
        "opentelemetry",
        "obstore",
        "ray",
        "dask",
        "distributed",
        "pyarrow",
    }
    assert loaded_by("import pixmill.batch.run") & extras == set()
    assert loaded_by("from pixmill.batch.run import executors; dict(executors())") & extras == set()


@pytest.mark.parametrize("name", pixmill.__all__)
def test_every_public_name_is_there(name):
    assert getattr(pixmill, name) is not None


def test_the_public_names_are_listed_once():
    assert sorted(pixmill._HOMES) == sorted(pixmill.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pixmill.nothing  # noqa: B018  # the access is the test
