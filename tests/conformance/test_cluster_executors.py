"""The cluster executors fulfil the executor contract on the real engines."""

import importlib
import os
from contextlib import closing

import pytest

from pixmill.engine.executors.dask import DaskExecutor
from pixmill.engine.executors.ray import RayExecutor
from pixmill.engine.policy import Policy
from pixmill.testing.executors import IsolatingExecutorSuite
from pixmill.testing.faulty_handlers import REF
from support.clusters import VARIABLES
from support.network_namespaces import isolated, why_no_hosts
from support.processes import wait_until

LOCAL = {"address": "local", "num_cpus": 2, "_node_ip_address": "127.0.0.1", "include_dashboard": False}


@pytest.fixture(scope="module")
def ray_cluster():
    """A Ray cluster of one node, isolated from the network and protected by a token."""
    if why := why_no_hosts():
        pytest.skip(why)
    before = dict(os.environ)
    os.environ.update(VARIABLES)
    ray = pytest.importorskip("ray", exc_type=ImportError)
    try:
        with isolated():
            ray.init(**LOCAL, object_store_memory=100_000_000, log_to_driver=False, logging_level="ERROR")
            yield
            ray.shutdown()
    finally:
        os.environ.clear()
        os.environ.update(before)


class TestRayExecutor(IsolatingExecutorSuite):
    @pytest.fixture
    def executor(self, ray_cluster):  # noqa: ARG002  # it only has to run
        return RayExecutor(workers=2)

    @pytest.mark.usefixtures("ray_cluster")
    def test_it_reserves_the_cores_that_it_uses_and_releases_them(self):
        ray = importlib.import_module("ray")
        with closing(RayExecutor(workers=1)) as executor:
            executor.start(REF, Policy())
            assert executor.workers == 1
            wait_until(lambda: ray.available_resources().get("CPU") == 1)
        wait_until(lambda: ray.available_resources().get("CPU") == 2)


class TestDaskExecutor(IsolatingExecutorSuite):
    @pytest.fixture
    def executor(self):
        pytest.importorskip("distributed", exc_type=ImportError)
        return DaskExecutor(workers=2)
