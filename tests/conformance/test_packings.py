"""Every packing passes the one suite; what it writes is read by the libraries that training programs use."""

import json
import os
import tarfile
from contextlib import closing

import pytest

from pixmill.batch.datasets.packings.parquet import ROW_GROUP_SIZE, Parquet
from pixmill.batch.datasets.packings.tar import Tar, header
from pixmill.testing.packings import PackingSuite, sample

pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
parquet = pytest.importorskip("pyarrow.parquet")


class TestTar(PackingSuite):
    packing = Tar

    def test_pythons_tarfile_reads_what_was_packed(self, tmp_path):
        samples = [sample(number, folder="d" * 120 if number % 2 else "a/b") for number in range(6)]
        path, positions = self.pack(tmp_path, samples)
        with tarfile.open(path) as archive:
            members = archive.getmembers()
            assert len(members) == 12
            for (packed, contents), place, member in zip(samples, positions, members[::2], strict=True):
                assert member.name == os.fsdecode(packed.members[0].name)
                assert archive.extractfile(member).read() == contents[0]
                assert member.offset_data == place[0]
            assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in members} == {(0, 0, 0, "", "", 0o644, b"0")}
            told = json.load(archive.extractfile(members[1]))
        assert told == {
            "source": "a/b/photo 0000.png",
            "format": "jpeg",
            "width": 40,
            "height": 30,
            "bytes": 1000,
            "hash": samples[0][0].members[0].digest.hex(),
        }

    def test_several_renditions_are_one_sample(self, tmp_path):
        packed, _ = sample(1, renditions=("320", "640"))
        path, _ = self.pack(tmp_path, [(packed, _)])
        with tarfile.open(path) as archive:
            names = archive.getnames()
            told = json.load(archive.extractfile(names[-1]))
        assert names == ["a/b/photo 0001.320.jpg", "a/b/photo 0001.640.jpg", "a/b/photo 0001.json"]
        assert told["source"] == "a/b/photo 0001.png"
        assert list(told["renditions"]) == ["320.jpg", "640.jpg"]

    def test_webdataset_reads_it(self, tmp_path):
        webdataset = pytest.importorskip("webdataset.tariterators", reason="webdataset is not installed")
        samples = [sample(number, renditions=("320", "640")) for number in range(5)]
        path, _ = self.pack(tmp_path, samples)
        with path.open("rb") as file:  # what its own opening does not close
            members = [member | {"__url__": path.name} for member in webdataset.tar_file_iterator(file)]
        read = list(webdataset.group_by_keys(members))
        assert [each["__key__"] for each in read] == [packed.key.decode() for packed, _ in samples]
        for each, (packed, contents) in zip(read, samples, strict=True):
            assert [each["320.jpg"], each["640.jpg"]] == contents
            assert json.loads(each["json"])["source"] == packed.source.decode()

    @pytest.mark.parametrize("size", [0, 511, 512, 8**11 - 1, 8**11, 2**40])
    def test_any_size_fits_the_header(self, size):
        assert tarfile.TarInfo.frombuf(header(b"name", size), "utf-8", "strict").size == size


class TestParquet(PackingSuite):
    packing = Parquet

    def test_pyarrow_reads_what_was_packed(self, tmp_path):
        samples = [sample(number, renditions=("320", "640")) for number in range(5)]
        path, _ = self.pack(tmp_path, samples)
        rows = parquet.read_table(path).to_pylist()
        assert [row["bytes"] for row in rows] == [content for _, contents in samples for content in contents]
        assert {name: value for name, value in rows[3].items() if name != "bytes"} == {
            "key": "a/b/photo 0001",
            "rendition": "640",
            "format": "jpeg",
            "width": 41,
            "height": 30,
            "hash": samples[1][0].members[1].digest.hex(),
            "source": "a/b/photo 0001.png",
            "columns": "{}",
        }

    def test_a_reader_needs_no_more_memory_than_one_group_of_rows(self, tmp_path):
        samples = [sample(number, size=ROW_GROUP_SIZE // 3) for number in range(7)]
        path, positions = self.pack(tmp_path, samples)
        table = parquet.ParquetFile(path)
        assert [table.metadata.row_group(index).num_rows for index in range(table.num_row_groups)] == [3, 3, 1]
        with closing(Parquet.reader(path)) as reader:
            assert reader.read(positions[6][0], len(samples[6][1][0])) == samples[6][1][0]
