"""Steps that need a GPU run on the nodes of a Ray cluster that have one; Ray believes what it is told about GPUs."""

import json
import os
import subprocess
from contextlib import closing

import msgspec
import pytest
from PIL import Image

from pixmill.core.errors import RunError
from pixmill.engine.executors.dask import DaskExecutor
from pixmill.engine.policy import Policy
from pixmill.testing.faulty_handlers import REF
from support.clusters import VARIABLES
from support.fault_run import COMMAND, DONE, STOPPED
from support.network_namespaces import isolated, why_no_hosts

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()),
]
IMAGES = 12
SMALL = {"object_store_memory": 80_000_000, "include_dashboard": False}
STEP = """
import os
from pathlib import Path

import pixmill


class Model(pixmill.Step):
    num_gpus = {gpus}
    resources = {resources}

    def open(self):
        self.seen = Path("{seen}", str(os.getpid()))
        self.seen.write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))

    def __call__(self, image):
        with self.seen.open("a") as file:
            file.write(" image")
        return image
"""


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of a node with two GPUs, one with one GPU and something of its own, and one with none."""
    before = dict(os.environ)
    os.environ.update(VARIABLES)
    cluster_utils = pytest.importorskip("ray.cluster_utils", exc_type=ImportError)
    try:
        with isolated():
            made = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 2, **SMALL})
            made.add_node(num_cpus=2, num_gpus=1, resources={"scanner": 1}, **SMALL)
            made.add_node(num_cpus=2, num_gpus=0, **SMALL)
            made.wait_for_nodes()
            yield made
            made.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize(("needed", "workers"), [(1.0, 1), (0.5, 2)])
def test_a_process_of_dask_starts_as_many_workers_as_its_resources_suffice_for(dask, needed, workers):
    with closing(DaskExecutor(address=dask)) as executor:
        executor.start(msgspec.structs.replace(REF, resources=(("GPU", needed),)), Policy())
        assert executor.workers == workers


def test_a_cluster_of_dask_without_what_a_step_needs_is_refused_in_a_sentence(dask):
    executor = DaskExecutor(address=dask)
    with closing(executor), pytest.raises(RunError, match="it offers 1 of the resource GPU, and a step of the recipe needs 2"):
        executor.start(msgspec.structs.replace(REF, resources=(("GPU", 2.0),)), Policy())


@pytest.fixture
def dask():
    """The address of a Dask cluster of one process with two threads and one GPU."""
    distributed = pytest.importorskip("distributed", exc_type=ImportError)
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options, protocol="tcp", host="127.0.0.1", resources={"GPU": 1}) as made:
        yield made.scheduler_address


@pytest.fixture
def ended(cluster, tmp_path):
    """Return a function that runs a step which needs ``gpus`` and ``resources``, and returns the ended process."""
    (tmp_path / "in").mkdir()
    (tmp_path / "seen").mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (40, 30), (20 * number, 90, 60)).save(tmp_path / "in" / f"{number}.jpg")

    def run(gpus=0.0, resources=None, executor=("ray", "--address", cluster.address)):
        step = tmp_path / "model.py"
        step.write_text(STEP.format(gpus=gpus, resources=resources or {}, seen=tmp_path / "seen"))
        line = [*COMMAND, "run", tmp_path / "in", tmp_path / "out", "--json", "--step", f"python:function={step}:Model"]
        return subprocess.run([*line, "--executor", *executor], capture_output=True, text=True, check=False)

    return run


def workers(folder):
    """Return the GPUs that each worker saw, and how many images it had."""
    texts = [path.read_text().split() for path in (folder / "seen").iterdir()]
    return [(text[0], len(text) - 1) for text in texts]


def refused(process):
    events = [json.loads(line) for line in process.stdout.splitlines()]
    return [event["reason"] for event in events if event.get("event") == "node_refused"]


def test_each_worker_has_a_gpu_of_its_own_and_nodes_without_are_left_out(ended, tmp_path):
    process = ended(gpus=1)
    assert process.returncode == DONE, process.stderr
    assert sorted(seen for seen, _ in workers(tmp_path)) == ["0", "0", "1"]  # the second node has a GPU 0, too
    assert sum(images for _, images in workers(tmp_path)) == IMAGES
    assert refused(process) == ["it offers 0 of the resource GPU, and a step of the recipe needs 1 for each worker"]


def test_workers_may_share_a_gpu(ended, tmp_path):
    process = ended(gpus=0.5, resources={"scanner": 0.5})
    assert process.returncode == DONE, process.stderr
    assert [seen for seen, _ in workers(tmp_path)] == ["0", "0"]  # the two cores of the one node with a scanner
    assert len(refused(process)) == 2


def test_a_cluster_without_what_a_step_needs_ends_the_run_in_a_sentence(ended, tmp_path):
    process = ended(resources={"telescope": 1})
    assert process.returncode == STOPPED
    sentence = "refused: it offers 0 of the resource telescope, and a step of the recipe needs 1 for each worker"
    assert process.stderr.count(sentence) == 1
    assert not workers(tmp_path)
    assert not list((tmp_path / "out").glob("*.jpg"))


def test_on_one_machine_nothing_is_asked_for(ended, tmp_path):
    assert ended(gpus=1, executor=["local"]).returncode == DONE
    assert sum(images for _, images in workers(tmp_path)) == IMAGES
