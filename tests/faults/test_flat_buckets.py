"""A bucket with all keys in one folder: the first image starts after the first page, and memory does not grow with the number."""

import threading

import pytest

from pixmill.batch.config.options import resolve
from pixmill.batch.planning.plan import plan
from pixmill.batch.state.outputs import StoredVersions
from pixmill.storage.address import Address
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries
from support.fault_run import COMMAND
from support.processes import peaks_of

WORDS = ("--size", "16x16", "--format", "webp", "--progress", "plain", "--workers", "2", "--durability", "none")
CONSTANT = 6  # listings of a run, whatever the number of keys: of the state folder, and to start the first image


@pytest.mark.parametrize("name", ["IMG_{:06}.JPG", "{:06}.jpg", "{:06x}a.Jpg"])
def test_the_first_image_is_read_while_the_second_page_is_still_awaited(store, machine, picture, tmp_path, name):
    store.objects = {f"in/{name.format(number * 37)}": picture for number in range(1100)}
    last_of_first = sorted(store.objects)[999]
    has_read, waited = threading.Event(), []

    def refuses(kind, key):
        if kind == "get" and key.startswith("in/"):
            has_read.set()
        return 0

    def before_page(prefix, after, size):
        if prefix == "in/" and after >= last_of_first and size > 1:  # one key: what lies ahead is asked for
            waited.append(has_read.wait(60))

    store.refuses, store.before_page = refuses, before_page
    assert "done      1,100 images" in machine.run("run", "s3://photos/in", tmp_path / "out", *WORDS)[1]
    assert waited
    assert all(waited)
    assert len(list((tmp_path / "out").glob("*.webp"))) == 1100


def planned(store, number, tmp_path):
    """Plan a run over a folder of ``number`` keys; return the peak memory of the process."""
    store.objects = dict.fromkeys((f"IMG_{each:06}.JPG" for each in range(number)), b"1")
    line = [*COMMAND, "plan", "s3://photos", tmp_path / "out"]
    code, errors, _, largest = peaks_of(line)
    assert code == 0, errors
    return largest


def test_a_plan_takes_no_more_memory_for_a_hundred_thousand_keys_in_one_folder(store, tmp_path):
    few = planned(store, 50_000, tmp_path)
    many = planned(store, 150_000, tmp_path)
    assert many < few + 15_000_000  # 100,000 entries more took 110 MB when they were held


@pytest.mark.parametrize(
    ("options", "source", "folder", "name"),
    [
        ({}, "a.png", "a.jpg", b"a.png.jpg"),
        ({"name": "{stem}-small.{ext}"}, "a.png", "a-small.jpg", b"a.png-small.jpg"),
        ({"name": "x-{stem}.{ext}"}, "a.png", "x-a.jpg", b"x-a.png.jpg"),
        ({}, "A.png", "a.jpg", b"A.png.jpg"),
    ],
)
def test_no_output_takes_the_name_of_a_subfolder_however_late_that_comes(store, tmp_path, options, source, folder, name):
    store.objects = dict.fromkeys([*(f"M{each:05}.jpg" for each in range(1500)), source, f"{folder}/1.jpg"], b"1")
    made = plan(resolve("s3://photos", str(tmp_path / "out"), options))
    names = {item.entry.path: item.names for item in made.items()}
    assert len(names) == 1502
    assert name in names[source.encode()]


def test_outputs_in_a_large_folder_are_checked_with_one_request_for_a_thousand(store):
    names = [f"out/{each:06}.jpg" for each in range(6000)]
    store.objects = dict.fromkeys(names, b"1")
    versions = StoredVersions(open_with_retries(Address.parse("s3://photos"), policy=OutagePolicy(reuses=True)))
    assert all(versions.get(name.encode()) for name in names)
    assert not any(versions.get(name.replace(".jpg", ".png").encode()) for name in names[::100])
    assert store.requests["list"] <= 2 * 6 + 1


SHAPES = pytest.mark.parametrize(
    "name",
    ["{n:05}.jpg", "{m:02}/{n}.jpg", "{k:03}/{n}.jpg", "{n}/x.jpg", "{m}/{n}.jpg", "{m}/{k}/{n}.jpg", "{m}/z{n}.jpg"],
    ids=["1 folder", "30 folders", "1,000", "5,000", "numbers in the order of bytes", "two levels", "beside other folders"],
)


def keys_of(name, number):
    """Return ``number`` keys, as ``name`` says."""
    keys = [name.format(n=n, m=n % 30, k=n % 1000) for n in range(number)]
    if "z{n}" in name:
        keys[::2] = [f"{n % 30}/{n % 70}/{n}.jpg" for n in range(0, number, 2)]
    return keys


@SHAPES
def test_source_and_outputs_of_a_repeated_run_take_a_listing_for_a_thousand_keys_each(store, tmp_path, name):
    number = 20_000
    keys = keys_of(name, number)
    store.objects = {f"{place}/{key}": b"1" for key in keys for place in ("in", "out")}
    versions = StoredVersions(open_with_retries(Address.parse("s3://photos/out"), policy=OutagePolicy(idles=True)))
    made = plan(resolve("s3://photos/in", str(tmp_path / "out"), {}))
    found = [item.entry.path for item in made.items() if versions.get(item.entry.path)]
    assert sorted(found) == sorted(key.encode() for key in keys)
    assert store.requests["list"] <= 1.05 * 2 * number / 1000 + CONSTANT


@pytest.mark.long
@SHAPES
def test_a_repeated_run_takes_one_listing_for_a_thousand_keys_on_either_side(store, machine, picture, name):
    number = 5_000
    store.objects = {f"in/{key}": picture for key in keys_of(name, number)}
    words = ("run", "s3://photos/in", "s3://photos/out", *WORDS)
    assert "5,000 images" in machine.run(*words)[1]
    store.requests.clear()
    assert "done      0 images" in machine.run(*words)[1]
    assert store.requests["list"] <= 1.05 * 2 * number / 1000 + CONSTANT
    assert store.requests["get"] <= 5


def test_outputs_of_many_renditions_take_a_listing_for_a_thousand_each(store):
    folders = [f"{width}" for width in range(100, 900, 100)]
    store.objects = {f"out/{folder}/{number:05}.jpg": b"1" for folder in folders for number in range(3000)}
    versions = StoredVersions(open_with_retries(Address.parse("s3://photos/out"), policy=OutagePolicy(reuses=True)))
    assert all(versions.get(f"{folder}/{number:05}.jpg".encode()) for number in range(3000) for folder in folders)
    assert store.requests["list"] <= len(folders) * 3 + 2 * len(folders)
