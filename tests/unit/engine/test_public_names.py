"""``pixmill.engine`` as a library of its own."""

import posixpath
import subprocess
import sys

import pytest

import pixmill.engine
from pixmill.engine.task import Task


def test_every_public_name_exists():
    for name in pixmill.engine.__all__:
        assert callable(getattr(pixmill.engine, name)) or name == "Outcome"


def test_a_missing_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute walk"):
        _ = pixmill.engine.walk


@pytest.mark.parametrize("first", ["", "import pixmill.engine.runner", "from pixmill.engine.runner import open_run"])
def test_run_is_callable_whatever_was_imported_before(first):
    code = f"{first}\nimport pixmill.engine\nfrom os.path import basename\nprint(pixmill.engine.run([], basename).found)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout == "0\n"


def test_a_plain_function_over_tasks_is_a_run():
    with pixmill.engine.open_run([Task.of("a", b"some/where")], posixpath.basename, workers=1) as run:
        (outcome,) = run
    assert outcome.result == b"where"


def test_what_a_worker_imports_is_light():
    heavy = {"sqlite3", "rich", "argparse", "numpy", "asyncio", "subprocess"}
    code = f"import sys, pixmill.engine.forkserver.process; print(sorted({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout == "[]\n"
