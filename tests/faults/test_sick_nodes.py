"""Two machines of which one is not as the other: another file system over DST, no SRC, no step, no plugin, other libraries.

Nothing is lost, no image is blamed, and the machine is named.
"""

import json
import os
import re
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

import pixmill.imaging.version
from support import invariants
from support.clusters import Cluster, DaskEngine, RayEngine
from support.fault_run import COMMAND, DONE, STOPPED
from support.host_checks import HostChecks
from support.network_namespaces import two_hosts, why_no_hosts
from support.processes import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()),
]
IMAGES = 80
PLUGIN = '''
"""A plugin with a step."""

from pixmill.imaging.operation import Operation


class Negative(Operation, frozen=True, kw_only=True, tag="negative"):
    """Invert the colours."""

    def apply(self, image):
        """Return the negative."""
        return image.evolve(pixels=image.pixels.invert())
'''
STEP = "def inverted(image):\n    return type(image)(image.pixels.invert())\n"


class Ground:
    """The files of a run: ``source``, ``destination``, a ``step`` of the user's own, a ``plugin``, and an ``empty`` folder."""

    def __init__(self, folder):
        names = ("in", "place/out", "empty", "steps", "site")
        self.source, self.destination, self.empty, self.steps, self.site = (folder / name for name in names)
        self.plugin, self.metadata = self.site / "pxm_negative.py", self.site / "pxm_negative-1.0.dist-info"
        for each in (self.source, self.destination, self.empty, self.steps, self.metadata):
            each.mkdir(parents=True)
        self.plugin.write_text(PLUGIN)
        (self.metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pxm-negative\nVersion: 1.0\n")
        (self.metadata / "entry_points.txt").write_text("[pixmill.imaging.operations]\nnegative = pxm_negative:Negative\n")
        self.variables = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        self.step = self.steps / "steps.py"
        self.step.write_text(STEP)
        self.events = folder / "events"
        first = self.source / "0.jpg"
        Image.effect_noise((1200, 900), 60).convert("RGB").save(first)
        for number in range(1, IMAGES):
            os.link(first, self.source / f"{number}.jpg")

    @property
    def options(self):
        return ["--step", f"python:function={self.step}:inverted", "--step", "negative", "--quality", "80"]

    def told(self, kind):
        lines = self.events.read_bytes().splitlines() if self.events.exists() else []
        found = [json.loads(line) for line in lines if line.startswith(b"{")]
        return [event for event in found if event["event"] == kind]


@pytest.fixture
def ground(tmp_path):
    return Ground(tmp_path)


@pytest.fixture
def expected(ground, tmp_path):
    """Return the tree that a run on this machine makes."""
    local = tmp_path / "local"
    line = [*COMMAND, "run", ground.source, local, *ground.options, "--progress", "none"]
    subprocess.run(line, check=True, capture_output=True, env={**os.environ, **ground.variables})
    return invariants.outputs(local)


@pytest.fixture(params=[RayEngine(), DaskEngine()], ids=lambda engine: engine.name)
def cluster(request, ground):
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="pxm", ignore_cleanup_errors=True)))
        hosts = exits.enter_context(two_hosts())
        yield Cluster(request.param, hosts, folder, also=ground.variables)


def other_destination(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return ground.destination, ground.empty, "DST {0.destination} on the node is not that of the coordinator"


def no_destination(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return ground.destination.parent, ground.empty, "DST {0.destination} on the node is not that of the coordinator"


def no_source(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return ground.source, ground.empty, "SRC {0.source} on the node is not that of the coordinator: 0.jpg does not exist"


def no_step(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return ground.steps, ground.empty, "a file used by a step differs from the coordinator's: {0.step} does not exist"


def another_step(ground, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(STEP.replace("invert()", "flip('vertical')"))
    return ground.step, other, "a file used by a step differs from the coordinator's: {0.step}: it differs"


def no_plugin(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return (
        ground.site,
        ground.empty,
        "a Python module used by the recipe differs from the coordinator's: pxm_negative: it is not installed",
    )


def another_plugin(ground, tmp_path):
    other = tmp_path / "other"
    other.write_text(PLUGIN.replace("invert()", "fliphor()"))
    return ground.plugin, other, "a Python module used by the recipe differs from the coordinator's: pxm_negative: it differs"


def a_plugin_that_is_there_but_not_installed(ground, tmp_path):  # noqa: ARG001  # the others need a folder
    return (
        ground.metadata,
        ground.empty,
        "a Python module used by the recipe differs from the coordinator's: pxm_negative: it differs",
    )


SICKNESSES = [
    other_destination,
    no_destination,
    no_source,
    no_step,
    another_step,
    no_plugin,
    another_plugin,
    a_plugin_that_is_there_but_not_installed,
]


def other_libraries(ground, tmp_path):  # noqa: ARG001  # the others look into it
    module = Path(pixmill.imaging.version.__file__)
    other = tmp_path / "version.py"
    other.write_text(module.read_text() + 'ENGINE = "2 libvips-8.1.1"\n')
    return module, other, f"the node has engine 2 libvips-8.1.1, the coordinator has engine {pixmill.imaging.version.ENGINE}"


@pytest.mark.parametrize("sickness", [*SICKNESSES, other_libraries])
def test_a_node_that_is_not_as_the_others_is_left_out_and_they_do_the_work(cluster, ground, expected, sickness, tmp_path):
    place, other, sentence = sickness(ground, tmp_path)
    cluster.node.cover(place, other)
    cluster.start()
    cluster.wait_for_nodes()
    checks = HostChecks(cluster, ground.source, ground.destination, expected, ground.events)
    process = cluster.run(ground.source, ground.destination, ground.events, *ground.options)
    assert checks.wait(process) == DONE, ground.events.read_text()[-3000:]
    checks.check(DONE)
    assert invariants.counts(ground.destination).done == IMAGES
    assert {event["attempts"] for event in ground.told("task_finished")} == {1}
    (refusal,) = ground.told("node_refused")
    assert cluster.node.address in refusal["node"]
    assert refusal["node"] not in {event["node"] for event in ground.told("task_finished")}
    assert sentence.format(ground) in refusal["reason"]
    assert re.search(rf"\[LEFT OUT\] node {re.escape(refusal['node'])}: ", ground.events.read_text())
    checks.check_again(*ground.options, env=ground.variables)


def test_a_node_that_loses_src_in_the_middle_of_a_run_is_suspended_and_no_image_is_blamed(cluster, ground, expected):
    cluster.start()
    cluster.wait_for_nodes()
    checks = HostChecks(cluster, ground.source, ground.destination, expected, ground.events)
    process = cluster.run(ground.source, ground.destination, ground.events, *ground.options)
    there = lambda: [event for event in ground.told("task_finished") if cluster.node.address in event["node"]]  # noqa: E731  # short
    wait_until(lambda: there() or process.poll() is not None, seconds=120)
    cluster.node.spoil(ground.source, ground.empty)
    checks.remember()
    assert checks.wait(process) == DONE, ground.events.read_text()[-3000:]
    checks.check(DONE)
    (suspension,) = ground.told("node_suspended")
    assert cluster.node.address in suspension["node"]
    assert "tasks failed there and succeeded on other nodes" in suspension["reason"]
    retried = ground.told("task_retried")
    assert {event["failure"]["node"] for event in retried} == {suspension["node"]}
    assert f"[SUSPENDED] node {suspension['node']} gets no more work: " in ground.events.read_text()


def test_a_cluster_without_a_node_that_can_be_admitted_ends_the_run_and_says_why_of_each(cluster, ground, expected):
    cluster.head.cover(ground.source, ground.empty)
    cluster.node.cover(ground.destination, ground.empty)
    cluster.start()
    cluster.wait_for_nodes()
    cluster.head.uncover()
    checks = HostChecks(cluster, ground.source, ground.destination, expected, ground.events)
    process = cluster.run(ground.source, ground.destination, ground.events, *ground.options)
    assert checks.wait(process) == STOPPED
    checks.check(STOPPED)
    said = ground.events.read_text()
    assert f"SRC {ground.source} on the node is not that of the coordinator: 0.jpg does not exist" in said
    assert invariants.outputs(ground.destination) == {}
    checks.check_again(*ground.options, env=ground.variables)
