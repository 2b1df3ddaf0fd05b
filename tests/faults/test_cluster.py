"""Two machines under one run: a worker dies, a node is killed, a node is cut off (network namespaces on one wire)."""

import json
import os
import re
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from support import invariants
from support.clusters import Cluster, DaskEngine, RayEngine
from support.fault_run import COMMAND, DONE, INTERRUPTED, STOPPED
from support.host_checks import HostChecks
from support.network_namespaces import two_hosts, why_no_hosts
from support.processes import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()),
]
PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "corpus" / "photos"
COPIES = 8


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Some minutes of work for one core, and the tree that a run on this machine makes of it."""
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("the corpus is not there")
    source, destination = tmp_path_factory.mktemp("photographs"), tmp_path_factory.mktemp("local")
    for picture in PHOTOGRAPHS.rglob("*.*"):
        for copy in range(COPIES):
            os.link(picture, source / f"{copy}-{picture.name}")
    subprocess.run([*COMMAND, "run", source, destination, "--progress", "none"], check=True, capture_output=True)
    return source, invariants.outputs(destination)


@pytest.fixture(params=[RayEngine(), DaskEngine()], ids=lambda engine: engine.name)
def cluster(request):
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="pxm", ignore_cleanup_errors=True)))
        made = Cluster(request.param, exits.enter_context(two_hosts()), folder)
        made.start()
        yield made


@pytest.fixture
def under_way(cluster, photographs, tmp_path):
    """A run of which each host has begun its share."""
    return UnderWay(cluster, *photographs, tmp_path)


class UnderWay:
    """A run on two hosts, from its start to what must hold at its end."""

    def __init__(self, cluster, source, expected, folder):
        self.cluster, self.source, self.expected = cluster, source, expected
        self.destination, self.events = folder / "out", folder / "events"
        self.checks = HostChecks(cluster, source, self.destination, expected, self.events)
        self.process = cluster.run(source, self.destination, self.events)
        wait_until(lambda: self.told("task_finished") and cluster.node.workers() and cluster.head.workers(), seconds=120)

    def told(self, kind):
        """Return the events of one kind so far."""
        lines = self.events.read_bytes().splitlines(keepends=True) if self.events.exists() else []
        found = [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return [event for event in found if event["event"] == kind]

    def wait_for_share(self, share):
        wait_until(lambda: len(self.told("task_finished")) >= share * len(self.expected), seconds=200)

    def complete(self):
        """Wait for the end, and hold it to the tree of the local run, each image counted once."""
        assert self.checks.wait(self.process, tries_another=False) == DONE, self.events.read_text()[-3000:]
        assert invariants.outputs(self.destination) == self.expected
        invariants.check_complete(self.destination, self.expected)
        keys = [event["key"] for event in self.told("task_finished")]
        assert len(keys) == len(set(keys)) == len(self.expected)
        assert invariants.counts(self.destination).done == len(self.expected)
        wait_until(lambda: not self.cluster.head.workers(), seconds=60)

    def longest_silence(self, since):
        """Return the seconds that nothing finished, at most, after ``since``."""
        moments = [since, *(event["at"] for event in self.told("task_finished") if event["at"] > since)]
        return max(later - sooner for sooner, later in pairwise(moments))


def test_a_worker_that_segfaults_on_another_host_costs_its_image_a_second_try(under_way):
    under_way.wait_for_share(0.1)
    (worker,) = under_way.cluster.node.workers()
    os.kill(worker, signal.SIGSEGV)
    under_way.complete()
    (lost,) = under_way.told("worker_lost")
    assert lost["signal"] == signal.SIGSEGV
    wait_until(lambda: not under_way.cluster.node.workers(), seconds=60)


def test_a_node_that_is_killed_costs_nothing_and_one_that_joins_later_helps(under_way):
    under_way.wait_for_share(0.1)
    under_way.cluster.node.kill()
    wait_until(lambda: under_way.told("worker_lost"), seconds=60)
    under_way.cluster.join()
    wait_until(under_way.cluster.node.workers, seconds=120)
    under_way.complete()


def test_a_node_that_is_cut_off_holds_the_run_up_for_less_than_half_a_minute(under_way):
    under_way.wait_for_share(0.1)
    moment = under_way.told("task_finished")[-1]["at"]
    under_way.cluster.node.cut()
    under_way.complete()
    assert under_way.longest_silence(moment) < 30
    assert "no reply for" in under_way.told("worker_lost")[0]["reason"]
    wait_until(lambda: not under_way.cluster.node.workers(), seconds=90)  # nobody told them: they have noticed by themselves


def test_a_node_that_comes_back_after_its_wire_was_pulled_gets_work_again(under_way):
    under_way.wait_for_share(0.1)
    under_way.cluster.node.cut()
    wait_until(lambda: under_way.told("worker_lost"), seconds=60)
    under_way.cluster.node.mend()
    before = set(under_way.cluster.node.workers())
    wait_until(lambda: set(under_way.cluster.node.workers()) - before or under_way.process.poll() is not None, seconds=120)
    under_way.complete()


def test_when_the_centre_of_the_cluster_dies_the_run_ends_in_words_and_the_next_one_goes_on(under_way):
    """Ray would end the whole process after a minute, in words of its own and without a summary."""
    under_way.wait_for_share(0.1)
    (centre,) = under_way.cluster.head.processes(under_way.cluster.engine.centre)
    os.kill(centre, signal.SIGKILL)
    assert under_way.checks.wait(under_way.process, tries_another=False) == STOPPED, under_way.events.read_text()[-3000:]
    under_way.checks.check(STOPPED)
    said = under_way.events.read_text()
    assert re.search(r"^pixmill: .*(Ray|Dask) .*no longer answers", said, re.MULTILINE)
    (ended,) = under_way.told("run_ended")
    assert ended["counts"]["failed"] == 0
    under_way.checks.check_again(env={})


def test_nobody_outlives_a_coordinator_that_is_killed_and_the_next_one_goes_on(under_way):
    under_way.wait_for_share(0.2)
    under_way.process.kill()
    under_way.process.wait(60)
    wait_until(lambda: not under_way.cluster.node.workers() + under_way.cluster.head.workers(), seconds=90)
    kept = invariants.finished(under_way.destination)
    before = invariants.identities(under_way.destination)
    again = under_way.cluster.run(under_way.source, under_way.destination, under_way.events)
    assert again.wait(200) == DONE, under_way.events.read_text()[-3000:]
    assert invariants.outputs(under_way.destination) == under_way.expected
    after = invariants.identities(under_way.destination)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_an_interrupted_coordinator_leaves_nothing_running_and_goes_on_where_it_was(under_way):
    under_way.wait_for_share(0.2)
    os.kill(under_way.process.pid, signal.SIGINT)
    assert under_way.process.wait(60) == INTERRUPTED
    wait_until(lambda: not under_way.cluster.node.workers() + under_way.cluster.head.workers(), seconds=60)
    kept = invariants.identities(under_way.destination)
    finished = under_way.told("task_finished")
    again = under_way.cluster.run(under_way.source, under_way.destination, under_way.events)
    assert again.wait(200) == DONE, under_way.events.read_text()[-3000:]
    assert invariants.outputs(under_way.destination) == under_way.expected
    assert {name: identity for name, identity in invariants.identities(under_way.destination).items() if name in kept} == kept
    assert len(finished) < len(under_way.expected)
