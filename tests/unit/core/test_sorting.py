"""Sorting what need not fit into memory."""

import gc
import os
import random
import threading

import pytest

from pixmill.core.sorting import Sorted


def shuffled(count):
    records = [(b"%08d" % number, b"content %d" % number) for number in range(count)]
    random.Random(1).shuffle(records)
    return records


@pytest.mark.parametrize(("held", "count"), [(1, 0), (1, 1), (1, 300), (1_000, 700), (20_000, 3_000), (32_000_000, 3_000)])
def test_the_order_does_not_depend_on_what_fits_into_memory(held, count):
    records = shuffled(count)
    ordered = Sorted(iter(records), held=held)
    assert list(ordered) == sorted(records)
    assert list(ordered) == sorted(records)


def test_equal_keys_stay_in_the_order_in_which_they_came():
    records = [(b"same", b"%d" % number) for number in range(2_000)]
    assert list(Sorted(iter(records), held=5_000)) == records


def test_several_threads_may_go_through_it_at_once():
    records = shuffled(20_000)
    ordered = Sorted(iter(records), held=200_000)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(list(ordered))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [sorted(records)] * 3


def test_the_file_on_disk_goes_with_it():
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None  # noqa: PTH112, PTH208  # plain names
    if before is None:
        pytest.skip("needs /proc")
    ordered = Sorted(iter(shuffled(1_000)), held=1_000)
    assert len(list(ordered)) == 1_000
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1  # noqa: PTH208  # the same
    del ordered
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208  # the same
