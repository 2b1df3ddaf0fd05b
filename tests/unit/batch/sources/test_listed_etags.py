"""A list that names the ETags of objects: each is read on condition that it still has its own, and is known by it."""

import hashlib
import json

import pytest

from pixmill.batch.config.options import resolve
from pixmill.batch.manifests.row import etag_in
from pixmill.batch.planning.plan import plan
from support.changed_outputs import picture

WORDS = ("--size", "16x16", "--format", "webp", "--json", "--workers", "1", "--durability", "none")


def etag(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def listed(store, tmp_path):
    """Return a list of two objects with their ETags."""
    store.objects = {f"{name}.jpg": picture((64 + place, 48)) for place, name in enumerate("ab")}

    def write():
        rows = "".join(f'photos,{key},"""{etag(data)}"""\n' for key, data in store.objects.items())
        (tmp_path / "list.csv").write_text("bucket,key,ETag\n" + rows)
        return str(tmp_path / "list.csv")

    return write


def report_of(output):
    return json.loads(output.splitlines()[-1])


def test_an_object_is_read_if_it_has_its_etag_and_else_noted_as_newer(store, machine, listed, tmp_path):
    source, conditions = listed(), []
    store.objects["b.jpg"] = picture((80, 40))
    store.refuses = lambda kind, key: conditions.append((kind, key)) or 0
    report = report_of(machine.run("run", source, str(tmp_path / "out"), *WORDS)[0])
    assert (report["counts"]["done"], report["notes"]) == (2, {"newer-than-listed": 1})
    assert conditions.count(("get", "a.jpg")) == 1
    assert conditions.count(("get", "b.jpg")) == 2  # the condition, and what is there now


def test_another_etag_in_the_list_is_another_version_and_the_same_one_is_not(store, machine, listed, tmp_path):
    machine.run("run", listed(), str(tmp_path / "out"), *WORDS)
    assert report_of(machine.run("run", listed(), str(tmp_path / "out"), *WORDS)[0])["counts"]["done"] == 0
    store.objects["b.jpg"] = picture((80, 40))
    report = report_of(machine.run("run", listed(), str(tmp_path / "out"), *WORDS)[0])
    assert (report["counts"]["done"], report["notes"]) == (1, {})


def test_an_object_that_is_gone_fails_as_one_of_an_inventory_does(store, machine, listed, tmp_path):
    source = listed()
    del store.objects["b.jpg"]
    report = report_of(machine.run("run", source, str(tmp_path / "out"), *WORDS, code=1)[0])
    assert list(report["failures"]) == ["read-vanished"]


def test_files_and_images_of_the_web_are_no_objects(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"1")
    (tmp_path / "list.csv").write_text("path,etag\na.jpg,x\nhttps://a.example/b.jpg,y\ns3://photos/c.jpg,z\n")
    made = plan(resolve(str(tmp_path / "list.csv"), str(tmp_path / "out"), {}))
    versions = {item.entry.path: item.entry.version for item in made.items()}
    assert versions[b"photos/c.jpg"] == b"z"
    assert versions[b"a.jpg"].isdigit()
    assert versions[b"a.example/b.jpg"].startswith(b"@")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (b'{"ETag":"\\"ab\\""}', b"ab"),
        (b'{" e_tag ":"ab"}', b"ab"),
        (b'{"etag":null}', b""),
        (b'{"vintage":"x"}', b""),
        (b"{}", b""),
    ],
)
def test_an_etag_is_found_whatever_its_column_is_called(columns, expected):
    assert etag_in(columns) == expected
