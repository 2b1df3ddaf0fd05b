"""Sorting what need not fit into memory."""

import gc
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.core.external_sort import ExternalSort


def shuffled(count):
    records = [(b"%08d" % number, b"content %d" % number) for number in range(count)]
    random.Random(1).shuffle(records)
    return records


@pytest.mark.parametrize(("memory_limit", "count"), [(1, 0), (1, 1), (1, 300), (1_000, 700), (20_000, 3_000), (32_000_000, 3_000)])
def test_the_order_does_not_depend_on_what_fits_into_memory(memory_limit, count):
    records = shuffled(count)
    ordered = ExternalSort(iter(records), memory_limit=memory_limit)
    assert list(ordered) == sorted(records)
    assert list(ordered) == sorted(records)


def test_equal_keys_stay_in_the_order_in_which_they_came():
    records = [(b"same", b"%d" % number) for number in range(2_000)]
    assert list(ExternalSort(iter(records), memory_limit=5_000)) == records


def test_several_threads_may_go_through_it_at_once():
    records = shuffled(20_000)
    ordered = ExternalSort(iter(records), memory_limit=200_000)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(list(ordered))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [sorted(records)] * 3


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="it looks at the open files of this process in /proc")
def test_the_file_on_disk_goes_with_it():
    gc.collect()
    before = deleted_files()
    ordered = ExternalSort(iter(shuffled(1_000)), memory_limit=1_000)
    assert len(list(ordered)) == 1_000
    assert deleted_files() == before + 1
    del ordered
    gc.collect()
    assert deleted_files() == before


def deleted_files():
    """How many files are open that have no name any more."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them
            count += str(descriptor.readlink()).endswith(" (deleted)")
    return count
