"""Buckets that a real server does not offer: keys that are no paths, parts that are forbidden, thousands of folders."""

import json

import pytest

from pixmill.storage.open import open_storage
from support.fault_run import COMMAND
from support.machines import PATIENCE, Machine
from support.processes import wait_until

WORDS = ("--size", "16x16", "--format", "webp", "--progress", "plain", "--workers", "4")


def report(text):
    return json.loads(text.splitlines()[-1])


ODD = ("/lead.jpg", "../out.jpg", "./dot.jpg", "a//b.jpg", "x/../up.jpg", "tab\there.jpg", "trail.jpg/")
NO_IMAGES = ("zz//", "a//notes.txt", "..//")


def test_an_odd_key_costs_one_image_which_is_named_by_it(store, machine, picture):
    good = ["a/1.jpg", "b.jpg", "x/2.jpg"]
    store.objects = dict.fromkeys((*good, *ODD, *NO_IMAGES), picture)
    store.objects["a/"] = b""
    out, _ = machine.run("run", "s3://photos", "s3://thumbs/out", *WORDS, "--json", code=1)
    counts = report(out)["counts"]
    assert (counts["done"], counts["failed"]) == (len(good), len(ODD))
    failures = machine.run("failures", "s3://thumbs/out")[0]
    for key in ODD:
        assert key.replace("\t", "\\t") in failures
    assert "a//b.jpg" in failures
    assert "has an empty part" in failures


def test_a_forbidden_part_of_a_bucket_costs_that_part_alone(store, machine, picture):
    store.objects = {f"in/{folder}/{number}.jpg": picture for folder in ("open", "shut") for number in range(3)}
    store.refuses = lambda kind, key: 403 if kind == "put" and key.startswith("out/shut/") else 0
    out, _ = machine.run("run", "s3://photos/in", "s3://photos/out", *WORDS, "--json", code=1)
    result = report(out)
    assert (result["counts"]["done"], result["counts"]["failed"]) == (3, 3)
    assert result["failures"].keys() == {"write-denied"}


def test_status_elsewhere_tells_of_a_run_and_of_a_shard_that_have_left_no_ledger_yet(store, tmp_path, picture):
    here, there = (Machine(COMMAND, tmp_path / name, store.endpoint) for name in ("here", "there"))
    store.objects = {f"in/{number:02}.jpg": picture for number in range(40)}
    shard = ("run", "s3://photos/in", "s3://photos/out", *WORDS, "--shard")
    process = here.start(*shard, "1/2", "--max-rate", "0.5/s")
    try:
        wait_until(lambda: any(key.startswith("out/0") for key in store.objects) or process.poll() is not None, seconds=PATIENCE)
        assert "a run has begun (process " in there.run("status", "s3://photos/out", code=2)[1]
        assert "being run with another recipe" in there.run(*shard, "2/2", "--size", "20x20", code=2)[1]
        there.run(*shard, "2/2")
        told = json.loads(there.run("status", "s3://photos/out", "--json")[0])
        assert [each["condition"] for each in told["shards"]] == ["running", "finished"]
    finally:
        here.leave()


@pytest.mark.parametrize("is_one_gone", [False, True])
def test_objects_that_are_replaced_during_a_run_are_made_in_their_new_version_by_the_same_run(store, machine, picture, is_one_gone):
    other = picture + b"\0"  # the same pixels
    store.objects = {f"in/{number:02}.jpg": picture for number in range(40)}
    options = (*WORDS, "--max-rate", "8/s", "--json")
    process = machine.start("run", "s3://photos/in", "s3://photos/out", *options)
    wait_until(lambda: any(key.startswith("out/0") for key in store.objects) or process.poll() is not None, seconds=PATIENCE)
    replaced = [f"in/{number:02}.jpg" for number in range(25, 40)]
    store.objects |= dict.fromkeys(replaced, other)
    if is_one_gone:
        del store.objects[replaced.pop()]
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == is_one_gone, err
    result = report(out)
    assert (result["counts"]["done"], result["counts"]["failed"]) == (40 - is_one_gone, is_one_gone)
    assert "Traceback" not in err
    again = machine.run("run", "s3://photos/in", "s3://photos/out", *WORDS)[1]
    assert f"skipped   {40 - is_one_gone} images" in again


def test_half_a_key_pair_is_a_sentence(machine):
    machine.environment["AWS_SECRET_ACCESS_KEY"] = ""
    err = machine.run("run", "s3://photos/in", "s3://photos/out", code=2)[1]
    assert "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not" in err


def test_an_image_costs_two_requests_and_a_repeated_run_a_few_listings_for_a_thousand(store, machine, picture):
    number = 120
    store.objects = {f"in/{each:04}/x.jpg": picture for each in range(number)}
    machine.run("run", "s3://photos/in", "s3://photos/out", *WORDS)
    first = store.requests.copy()
    assert len(store.objects) >= 2 * number
    assert first["get"] + first["put"] + first["head"] <= 2.2 * number
    store.requests.clear()
    assert f"skipped   {number} images" in machine.run("run", "s3://photos/in", "s3://photos/out", *WORDS)[1]
    again = store.requests
    assert again["get"] + again["head"] <= 10  # of the lock and the ledger
    assert again["list"] <= 10  # there are {number} folders on either side


def test_the_bucket_is_listed_once(store, machine, picture):
    store.objects = {f"in/{each:04}.jpg": picture for each in range(30)}
    listed = []
    store.refuses = lambda kind, key: listed.append(key) if kind == "list" else 0
    machine.run("run", "s3://photos/in", "s3://photos/out", *WORDS, "--max-rate", "8/s")
    assert listed.count("in/") == 1
    assert sum(map(len, open_storage("s3://photos/out").list(descend=lambda path: path != b".pixmill"))) == 30
