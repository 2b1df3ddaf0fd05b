"""Names of temporaries, requested by several threads at once, as a worker and its group commit do."""

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from pixmill.storage.local.temporary import names


@pytest.fixture
def hasty():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_threads_share_them_and_none_comes_twice():
    shared = names("tag")
    with ThreadPoolExecutor(4) as threads:
        taken = [name for part in threads.map(lambda _: list(islice(shared, 20_000)), range(4)) for name in part]
    assert len(set(taken)) == len(taken) == 80_000
