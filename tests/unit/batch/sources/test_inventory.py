"""A bucket by its S3 Inventory: what is listed, what is ignored, and what has changed since."""

import csv
import gzip
import hashlib
import io
import json
from urllib.parse import quote_plus

import pytest
from PIL import Image

from pixmill.batch.config.models import Selection
from pixmill.batch.source import Folder, SourceRequest, kind_of, sources
from pixmill.batch.sources.inventory import Inventory
from pixmill.core.errors import AddressError, ConfigError
from pixmill.storage.address import Address

SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
PARQUET_SCHEMA = (
    "message s3.inventory { required binary bucket (STRING); required binary key (STRING); optional boolean is_latest; "
    "optional int64 size; optional binary e_tag (STRING); }"
)
MANIFEST = "inventory/photos/daily/2026-11-30T01-00Z/manifest.json"
SRC = f"s3://photos/{MANIFEST}"


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def row(key, data, *, latest=True, deleted=False, bucket="photos"):
    size, etag = ("", "") if deleted else (len(data), md5(data))
    return [
        bucket,
        quote_plus(key, safe="/"),
        "v1",
        str(latest).lower(),
        str(deleted).lower(),
        size,
        "2026-11-29T08:00:00.000Z",
        etag,
    ]


def picture(number):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (80 * number, 100, 50)).save(file, "JPEG")
    return file.getvalue()


def csv_list(rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def manifest(lists, **changes):
    files = [{"key": key, "size": len(data), "MD5checksum": md5(data)} for key, data in lists.items()]
    known = {"sourceBucket": "photos", "destinationBucket": "arn:aws:s3:::photos", "version": "2016-11-30", "fileFormat": "CSV"}
    return json.dumps({**known, "creationTimestamp": "1764464400000", "fileSchema": SCHEMA, "files": files, **changes}).encode()


def publish(store, *lists_of_rows, **changes):
    lists = {f"inventory/photos/daily/data/{number}.csv.gz": csv_list(rows) for number, rows in enumerate(lists_of_rows)}
    store.objects.update(lists)
    store.objects[MANIFEST] = manifest(lists, **changes)


def opened(text=SRC):
    address = Address.parse(text)
    assert kind_of(address, sources()) is Inventory
    return Inventory.open(SourceRequest(address=address))


def listed(source):
    errors, ignored = [], []
    entries = [
        entry
        for chunk in source.folders(lambda path, error: errors.append((path, error.code)), lambda *each: ignored.append(each))
        for entry in chunk
    ]
    return [entry for entry in entries if not isinstance(entry, Folder)], errors, ignored


def test_the_latest_versions_are_listed_with_their_etags(store):
    publish(
        store,
        [row("b/2 äö+.jpg", b"22"), row("a.jpg", b"old", latest=False), row("gone.jpg", b"", deleted=True)],
        [row("a.jpg", b"1"), row("b/", b""), row("x//y.jpg", b"3"), row(".hidden/z.jpg", b"4")],
    )
    source = opened()
    for _ in range(2):  # a plan and a run
        entries, errors, ignored = listed(source)
        assert [(each.path, each.size, each.version) for each in entries] == [
            (b"a.jpg", 1, md5(b"1").encode()),
            ("b/2 äö+.jpg".encode(), 2, md5(b"22").encode()),
        ]
        assert errors == [(b"x//y.jpg", "read-key")]
        assert sorted(ignored) == [(b"a.jpg", "old-version"), (b"gone.jpg", "delete-marker")]
    assert (source.address, store.requests["list"]) == (Address("s3", b"photos"), 0)


def test_names_that_look_disambiguated_keep_their_keys(store):
    keys = ["a~0123456789abcdef.jpg", "a.jpg", "a.png", "a/b.jpg"]
    publish(store, [row(key, b"1") for key in keys])
    assert sorted(each.path.decode() for each in listed(opened())[0]) == sorted(keys)


def test_parquet_lists_are_read_as_well(store):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {
        "bucket": ["photos"] * 2,
        "key": ["a%20b.jpg", "c.jpg"],
        "size": [1, 2],
        "e_tag": ["x", "y"],
        "is_latest": [True, False],
    }
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    store.objects["data/1.parquet"] = file.getvalue()
    store.objects[MANIFEST] = manifest({"data/1.parquet": file.getvalue()}, fileFormat="Parquet", fileSchema=PARQUET_SCHEMA)
    entries, _, ignored = listed(opened())
    assert [(each.path, each.size, each.version) for each in entries] == [(b"a%20b.jpg", 1, b"x")]
    assert ignored == [(b"c.jpg", "old-version")]


def test_a_copy_of_an_inventory_needs_no_request(store, tmp_path):
    data = csv_list([row("a.jpg", b"1")])
    (tmp_path / "manifest.json").write_bytes(manifest({"inventory/data/1.csv.gz": data}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.csv.gz").write_bytes(data)
    assert [each.path for each in listed(opened(str(tmp_path / "manifest.json")))[0]] == [b"a.jpg"]
    assert not store.requests


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fileFormat": "ORC"}, "format ORC"),
        ({"fileSchema": "Bucket, Key, Size"}, "without ETag"),
        ({"files": "none"}, "not the manifest of an S3 Inventory"),
    ],
)
def test_an_inventory_that_cannot_be_read_is_refused_in_words(store, changes, message):
    publish(store, [row("a.jpg", b"1")], **changes)
    with pytest.raises(ConfigError, match=message):
        opened()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (csv_list([row("a.jpg", b"1", bucket="others")]), "in the bucket others"),
        (csv_list([row("a.jpg", b"1")])[:-9], "cannot be read after row"),
        (csv_list([["photos"]]), "cannot be read after row"),
    ],
    ids=["of another bucket", "cut off", "columns missing"],
)
def test_a_list_that_is_damaged_or_of_another_bucket_ends_the_run(store, content, message):
    publish(store)
    store.objects["1.csv.gz"] = content
    store.objects[MANIFEST] = manifest({"1.csv.gz": content})
    with pytest.raises(ConfigError, match=message):
        listed(opened())


def test_a_list_that_is_another_one_than_the_manifest_says_ends_the_run(store):
    publish(store, [row("a.jpg", b"1")])
    store.objects["inventory/photos/daily/data/0.csv.gz"] = csv_list([row("b.jpg", b"1")])
    with pytest.raises(ConfigError, match="MD5"):
        listed(opened())


def test_a_manifest_that_is_missing_or_not_wanted_is_refused(store):
    with pytest.raises(AddressError, match="does not exist"):
        opened()
    publish(store)
    with pytest.raises(AddressError):
        Inventory.open(SourceRequest(address=Address.parse(SRC), selection=Selection(web_only=True)))


def test_images_are_made_from_an_inventory_and_from_the_bucket_as_the_same_ones(store, machine):
    pictures = [picture(number) for number in range(3)]
    store.objects = {f"in/{number}.jpg": data for number, data in enumerate(pictures)}
    store.objects["in/notes.txt"] = b"no image"
    store.objects["in/1.jpg"] = pictures[0]  # since the inventory
    publish(store, [row(f"in/{number}.jpg", data) for number, data in enumerate(pictures)] + [row("in/notes.txt", b"no image")])
    words = ("s3://thumbs/out", "--size", "16x16", "--include", "/in/", "--json", "--workers", "2")
    out, _ = machine.run("run", SRC, *words)
    report = json.loads(out.splitlines()[-1])
    assert (report["counts"]["done"], report["counts"]["failed"]) == (3, 0)
    assert report["notes"] == {"newer-than-listed": 1}
    assert report["ignored"] == {"not-an-image": 1}
    kinds = dict(store.requests)
    assert kinds["get"] >= 5
    out, _ = machine.run("run", "s3://photos", *words)
    counts = json.loads(out.splitlines()[-1])["counts"]
    assert (counts["skipped"], counts["done"]) == (2, 1)
