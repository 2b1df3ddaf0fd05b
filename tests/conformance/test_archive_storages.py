"""An archive is read as the contract of a storage demands: each write creates the archive again, and it is opened again."""

import io
import os
import tarfile
import zipfile

import pytest

from pixmill.storage.address import relative
from pixmill.storage.schemes.tar import TarStorage
from pixmill.storage.schemes.zip import ZipStorage
from pixmill.storage.storage import FREE_NAME, content_digest, occupied
from pixmill.testing.storages import StorageSuite


class Packed:
    """A storage that reads an archive of what was written to it. The times of members are those given, or count up."""

    def __init__(self, path, pack, reader):
        self.path, self.pack, self.reader = path, pack, reader
        self.content = {}
        self.writes = 0
        pack(path, self.content)

    def __getattr__(self, name):
        return getattr(self.reader(os.fsencode(self.path)), name)

    def write(self, path, data, *, durable, mtime_ns=None, replacing=FREE_NAME):  # noqa: ARG002  # the archive is made for the test
        existing = self.content.get(relative(path))
        if existing and not replacing.others:
            version, digest = self.version_of(path), content_digest(existing[0])
            if not any(version == own.version or digest == own.digest for own in replacing.own):
                if existing[0] != data:
                    raise occupied(path, version, own=replacing.own)
                return version
        self.writes += 1
        self.content[relative(path)] = (data, mtime_ns or self.writes * 10**9)
        self.pack(self.path, self.content)
        return self.version_of(path)

    def delete(self, path):
        if self.content.pop(relative(path), None):
            self.pack(self.path, self.content)


def pack_tar(path, content):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, (data, mtime_ns) in content.items():
            info = tarfile.TarInfo(os.fsdecode(name))
            info.size = len(data)
            info.pax_headers = {"mtime": f"{mtime_ns // 10**9}.{mtime_ns % 10**9:09}"}
            archive.addfile(info, io.BytesIO(data))


def pack_zip(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mtime_ns) in content.items():
            seconds = mtime_ns // 10**9
            if b"\xe4.jpg" in name:
                pytest.skip("a name in a zip file is text")
            info = zipfile.ZipInfo(name.decode(), (1980, 1, 1, 0, seconds // 30, seconds % 30 * 2))
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)


class TestTarStorage(StorageSuite):
    @pytest.fixture
    def storage(self, tmp_path):
        return Packed(tmp_path / "images.tar", pack_tar, TarStorage)


class TestZipStorage(StorageSuite):
    has_exact_times = False

    @pytest.fixture
    def storage(self, tmp_path):
        return Packed(tmp_path / "images.zip", pack_zip, ZipStorage)
