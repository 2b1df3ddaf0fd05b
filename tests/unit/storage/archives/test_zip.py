"""What a zip file may hold, and what becomes of each kind of member."""

import io
import os
import stat
import struct
import zipfile

import pytest

from pixmill.core.errors import AddressError, ReadError
from pixmill.storage.schemes.zip import ZipStorage


@pytest.fixture
def path(tmp_path):
    return tmp_path / "photos.zip"


def pack(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return ZipStorage(os.fsencode(path))


def refused(storage):
    found = {}
    paths = [entry.path for listing in storage.list(on_error=lambda path, error: found.update({path: error})) for entry in listing]
    return paths, found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_by_locator_and_by_path(path, method):
    content = {"b/2.jpg": os.urandom(3_000_000), "a.jpg": b"x" * 5_000_000, "ü/é.jpg": b"", "folder/": b""}
    storage = pack(path, content, compression=method)
    entries = [entry for listing in storage.list() for entry in listing]
    assert [entry.path.decode() for entry in entries] == ["a.jpg", "b/2.jpg", "ü/é.jpg"]
    for entry in entries:
        assert (
            storage.read(entry.locator, limit=10_000_000)
            == storage.read(entry.path, limit=10_000_000)
            == content[entry.path.decode()]
        )
        assert storage.head(entry.locator, 100) == content[entry.path.decode()][:100]
        assert entry.size == len(content[entry.path.decode()])


def test_the_version_changes_with_the_content(path):
    first = pack(path, {zipfile.ZipInfo("a.jpg"): b"123"}).stat(b"a.jpg")
    second = pack(path, {zipfile.ZipInfo("a.jpg"): b"124"}).stat(b"a.jpg")
    again = pack(path, {zipfile.ZipInfo("0.jpg"): b"0", zipfile.ZipInfo("a.jpg"): b"123"}).stat(b"a.jpg")
    assert (first.size, first.version) == (again.size, again.version)
    assert first.version != second.version
    assert first.locator != again.locator


def test_a_bomb_costs_no_more_than_the_limit(path):
    storage = pack(path, {"bomb.jpg": bytes(200_000_000)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ReadError) as raised:
        storage.read(b"bomb.jpg", limit=1000)
    assert raised.value.code == "limit-bytes"


def test_a_bomb_that_lies_about_its_size_is_found_out(path):
    pack(path, {"bomb.jpg": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes().replace(struct.pack("<L", 50_000_000), struct.pack("<L", 500))
    path.write_bytes(data)
    with pytest.raises(ReadError) as raised:
        ZipStorage(os.fsencode(path)).read(b"bomb.jpg", limit=1000)
    assert raised.value.code == "limit-bytes"
    assert "more bytes than" in raised.value.message


def test_damage_within_a_member_costs_that_member(path):
    pack(path, {"a.jpg": b"a" * 100, "b.jpg": b"b" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"a" * 100) + 7] ^= 1
    path.write_bytes(data)
    storage = ZipStorage(os.fsencode(path))
    with pytest.raises(ReadError, match="checksum") as raised:
        storage.read(b"a.jpg", limit=1000)
    assert not raised.value.retryable
    assert storage.read(b"b.jpg", limit=1000) == b"b" * 100


def test_damaged_compression_costs_that_member(path):
    pack(path, {"a.jpg": os.urandom(10) * 1000}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[40:50] = b"\xff" * 10
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"damaged in the archive"):
        ZipStorage(os.fsencode(path)).read(b"a.jpg", limit=100_000)


def test_the_last_of_several_with_one_name_is_taken(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"old")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.jpg", b"newer")
    storage = ZipStorage(os.fsencode(path))
    (listing,) = storage.list()
    assert [storage.read(entry.locator, limit=10) for entry in listing] == [b"newer"]
    assert storage.read(b"a.jpg", limit=10) == b"newer"


def test_links_and_devices_are_left_out_and_names_that_lead_out_refused(path):
    link, pipe = zipfile.ZipInfo("link.jpg"), zipfile.ZipInfo("pipe.jpg")
    link.external_attr, pipe.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFIFO | 0o600) << 16
    paths, errors = refused(pack(path, {link: b"/etc/passwd", pipe: b"", "../a.jpg": b"x", "/b.jpg": b"x", "c.jpg": b"x"}))
    assert paths == [b"c.jpg"]
    assert sorted(errors) == [b"../a.jpg", b"/b.jpg"]
    assert all("leads out" in error.message for error in errors.values())


@pytest.mark.parametrize(("method", "why"), [(zipfile.ZIP_BZIP2, "number 12"), (zipfile.ZIP_LZMA, "number 14")])
def test_other_compressions_are_refused_by_name(path, method, why):
    paths, errors = refused(pack(path, {"a.jpg": b"x" * 100}, compression=method))
    assert paths == []
    assert why in errors[b"a.jpg"].message


def test_an_encrypted_member_is_refused(path):
    pack(path, {"a.jpg": b"x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    _, errors = refused(ZipStorage(os.fsencode(path)))
    assert "encrypted" in errors[b"a.jpg"].message


def test_names_that_are_not_utf_8_are_those_of_the_old_code_page(path):
    info = zipfile.ZipInfo("a.jpg")
    pack(path, {info: b"x"})
    path.write_bytes(path.read_bytes().replace(b"a.jpg", b"\x84.jpg"))
    (listing,) = ZipStorage(os.fsencode(path)).list()
    assert [entry.path.decode() for entry in listing] == ["ä.jpg"]


def test_what_stands_before_the_archive_does_not_matter(path):
    pack(path, {"a.jpg": b"data"})
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    assert ZipStorage(os.fsencode(path)).read(b"a.jpg", limit=10) == b"data"


def test_the_records_for_large_archives_are_understood(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as file:
        file.write(b"data")
    assert ZipStorage(os.fsencode(path)).read(b"a.jpg", limit=10) == b"data"
    many = {f"{number:05}.jpg": b"" for number in range(66_000)}  # more than 16 bits count
    assert sum(len(listing) for listing in pack(path, many).list()) == 66_000


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 70_000, b"PK\5\6" + b"\xff" * 18])
def test_what_is_no_zip_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(AddressError):
        ZipStorage(os.fsencode(path))


def test_a_cut_archive_is_refused(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", b"x" * 1000)
    path.write_bytes(buffer.getvalue()[:-40])
    with pytest.raises(AddressError, match="not a zip file"):
        ZipStorage(os.fsencode(path))
