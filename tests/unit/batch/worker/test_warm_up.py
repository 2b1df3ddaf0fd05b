"""What the nursery imports before it forks: all that an image needs, in one thread, and no foreign code."""

import subprocess
import sys

import msgspec
import pytest
from PIL import Image

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.plan import plan

NURSERY = "import sys, os, pixmill.engine.forkserver.process, pixmill.batch.worker.warm_up\n"
FIRST_TASK = """
from pixmill.engine.handler import Stages
before = set(sys.modules)
from pathlib import Path
from pixmill.batch.worker.handler import image_handler
class NoProgress(Stages):
    def enter(self, stage): pass
    count = claim = lambda *_: None
unsettled = image_handler(Path("options").read_bytes())(Path("payload").read_bytes(), NoProgress())
list(unsettled.commit(NoProgress()) or ())
print(*set(sys.modules) - before)
"""


@pytest.fixture
def python(tmp_path):
    """Return a function that runs a program in a fresh interpreter and returns what it printed, word by word."""

    def python(program):
        found = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert found.stderr == ""
        return found.stdout.split()

    return python


@pytest.fixture
def plugin(tmp_path):
    """Install a plugin with a codec, which says so when it is loaded."""
    (tmp_path / "foreign.py").write_text("print('foreign')\n")
    (tmp_path / "foreign-1.0.dist-info").mkdir()
    (tmp_path / "foreign-1.0.dist-info/METADATA").write_text("Name: foreign\nVersion: 1.0\n")
    (tmp_path / "foreign-1.0.dist-info/entry_points.txt").write_text("[pixmill.imaging.codecs]\nforeign = foreign:Foreign\n")


def test_a_worker_imports_nothing_for_its_first_picture(tmp_path, python):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (300, 200)).save(tmp_path / "in/a.jpg")
    made = plan(RunConfig(source=str(tmp_path / "in"), destination=str(tmp_path / "out")))
    (tmp_path / "options").write_bytes(msgspec.msgpack.encode(made.handler_options))
    (tmp_path / "payload").write_bytes(next(task.payload for task in made.tasks() if task))
    assert python(NURSERY + FIRST_TASK) == []
    assert (tmp_path / "out/a.jpg").exists()


@pytest.mark.usefixtures("plugin")
def test_a_plugin_is_found_and_none_of_its_code_is_run(python):
    names = "from pixmill.imaging.codec import Codec; print('foreign' in Codec.registry.names(), 'foreign' in sys.modules)"
    assert python(NURSERY + names) == ["True", "False"]


@pytest.mark.usefixtures("plugin")
def test_a_worker_still_takes_the_codec_of_a_plugin_into_account(python):
    sniff = "from pixmill.imaging.formats import sniff\ntry: sniff(b'')\nexcept AttributeError: print('loaded')"
    assert python(NURSERY + sniff) == ["foreign", "loaded"]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_no_thread_is_started_and_the_environment_is_as_before(python):
    counted = "print(len(os.listdir('/proc/self/task')), 'OPENBLAS_NUM_THREADS' in os.environ)"
    assert python(NURSERY + counted) == ["1", "False"]
