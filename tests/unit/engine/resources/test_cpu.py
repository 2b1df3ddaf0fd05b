"""How many cores may be used."""

import os

import pytest

from pixmill.engine.resources.cpu import usable_cores

ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, ALLOWED),
        ({"cpu_dot_max": "max 100000\n"}, ALLOWED),
        ({"cpu_dot_max": "50000 100000\n"}, 1),
        ({"cpu_dot_max": "150000 100000\n"}, min(2, ALLOWED)),
        ({"cpu_dot_max": "99900000 100000\n"}, ALLOWED),
        ({"cpu__cpu_dot_cfs_quota_us": "-1\n", "cpu__cpu_dot_cfs_period_us": "100000\n"}, ALLOWED),
        ({"cpu__cpu_dot_cfs_quota_us": "20000\n", "cpu__cpu_dot_cfs_period_us": "100000\n"}, 1),
    ],
)
def test_affinity_and_quota_decide(tmp_path, files, cores):
    assert usable_cores(write(tmp_path, **files)) == cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_held_to_one_core_uses_one(tmp_path):
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)
