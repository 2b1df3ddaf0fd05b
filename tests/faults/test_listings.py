"""A listing of a bucket that breaks in the middle: it goes on where it was, and nothing is lost or doubled."""

import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from pixmill.batch.naming.reserved import image_stem
from pixmill.storage.open import open_storage
from support.object_store_servers import BUCKET
from support.proxy import Faults, fault_proxy

PAGES = 4
NAMES = [b"%05d.jpg" % number for number in range(1000 * PAGES - 500)]


@pytest.fixture(scope="module")
def full(s3_environment):
    """A folder of a bucket that takes several pages."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(8) as pool:
        for name, value in s3_environment.items():
            patch.setenv(name, value)
        storage = open_storage(f"s3://{BUCKET}/listings")
        list(pool.map(lambda name: storage.write(b"in/" + name, b"1", durable=True), NAMES))
    return f"s3://{BUCKET}/listings"


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(
    "faults",
    [Faults(reset=2), Faults(short=2), Faults(lost=2), Faults(cycle=2, burst=1)],
    ids=["resets", "short", "lost", "bursts"],
)
def test_a_listing_goes_on_behind_the_last_key_that_came(full, faults, monkeypatch):
    with fault_proxy(urlsplit(os.environ["AWS_ENDPOINT_URL"]).port, faults) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        (listing,) = open_storage(full).list(b"in")
    assert [entry.path for entry in listing] == [b"in/" + name for name in NAMES]
    injected = sum(count for name, count in proxy.seen.items() if name != "requests")
    assert injected >= PAGES - 1
    assert proxy.seen["requests"] == PAGES + injected


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("faults", [Faults(), Faults(short=3)], ids=["none", "short"])
def test_a_listing_comes_in_parts_each_object_once(full, faults, monkeypatch):
    with fault_proxy(urlsplit(os.environ["AWS_ENDPOINT_URL"]).port, faults) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        parts = list(open_storage(f"{full}/in").list_parts(image_stem, folders_first=False))
    assert len(parts) > 1
    assert sorted(entry.path for part in parts for entry in part) == NAMES
