"""Sealing is killed at its every system call: shards are never half, nothing is lost or there twice, and the end is the same."""

import errno
import json
import os
import signal
import subprocess
from collections import Counter

import pytest

from support import program
from support.datasets import DatasetFixture

FIRST = {f"photo {number}": number for number in range(7)}
THEN = {"a": 90, "photo 1": 91, "z": 92}  # all shards shift, one sample changes, one is added
QUICK = [("rename", 1), ("fsync", 5), ("write", 25)]  # of the calls of this kind, every so many
EVERY = [(call, 1) for call in ("open", "write", "fsync", "rename", "close")]


def prepare(folder, packing):
    """Return a dataset that was sealed once, with images that were finished since."""
    shop = DatasetFixture(folder, packing)
    shop.finish(FIRST)
    shop.seal()
    shop.finish(THEN)
    return shop


def sealed_with(shop, shim, call, how, number):
    """Seal in a process to which ``how`` happens at the ``number``-th ``call``; return how it ended."""
    fault = shim(FAULT_UNDER=shop.folder, FAULT_CALL=call, FAULT_HOW=how, FAULT_AT=number)
    line = [*program("datasets"), shop.folder, shop.dataset.packing]
    return subprocess.run(line, env={**os.environ, **fault.environment}, check=False, timeout=120, capture_output=True, text=True)


def killed_at(shop, shim, call, number):
    """Seal in a process that is killed at the ``number``-th ``call``; tell whether it came so far."""
    return sealed_with(shop, shim, call, "kill", number).returncode == -signal.SIGKILL


def hold(shop, allowed):
    """Whatever happened: each file is one of an undisturbed dataset, nothing is lost, and what an index says is so."""
    for name, data in shop.files().items():
        assert data in allowed[name], f"{name} is half"
    assert shop.missing() == []
    files = shop.files()
    if "_index.jsonl" in files:
        lines = [json.loads(line) for line in files["_index.jsonl"].splitlines()]
        assert max(Counter(line["source"] for line in lines).values()) == 1
        assert {line["shard"] for line in lines} <= files.keys()


def kill_at_each(tmp_path, shim, packing, moments):
    before = prepare(tmp_path / "undisturbed", packing)
    allowed = {name: [data] for name, data in before.files().items()}
    before.seal()
    expected = before.files()
    for name, data in expected.items():
        allowed.setdefault(name, []).append(data)
    kills = 0
    for call, step in moments:
        shop, number = prepare(tmp_path / f"{call}", packing), 1
        while killed_at(shop, shim, call, number):
            kills += 1
            hold(shop, allowed)
            assert shop.seal()
            assert shop.files() == expected
            assert shop.left_over() == []
            number += step
            shop = prepare(tmp_path / f"{call} {number}", packing)
        assert shop.files() == expected
    return kills


def test_sealing_that_is_killed_ends_with_the_same_bytes(tmp_path, shim):
    assert kill_at_each(tmp_path, shim, "tar", QUICK) > 10


@pytest.mark.parametrize(("call", "how", "number"), [
    ("write", errno.ENOSPC, 20), ("fsync", errno.EIO, 4), ("rename", errno.ENOSPC, 2), ("open", errno.EMFILE, 12),
])  # fmt: skip
def test_a_call_that_fails_ends_sealing_with_a_reason_and_the_next_run_goes_on(tmp_path, shim, call, how, number):
    shop, whole = prepare(tmp_path / "failing", "tar"), prepare(tmp_path / "whole", "tar")
    before = shop.files()
    whole.seal()
    ended = sealed_with(shop, shim, call, how, number)
    assert ended.returncode == 0 or any("RunError" in line for line in ended.stderr.splitlines()[-2:]), (
        ended.stderr
    )  # SQLite bears some of them
    hold(shop, {name: [each[name] for each in (before, whole.files()) if name in each] for name in {**before, **whole.files()}})
    assert shop.seal()
    assert shop.files() == whole.files()
    assert shop.left_over() == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("packing", ["tar", "parquet"])
def test_sealing_that_is_killed_at_each_call_in_turn_ends_with_the_same_bytes(tmp_path, shim, packing):
    if packing == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    assert kill_at_each(tmp_path, shim, packing, EVERY) > 100
