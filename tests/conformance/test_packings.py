"""Every packing passes the one suite; what it writes is read by the libraries that training programs use."""

import json
import os
import tarfile
from contextlib import closing
from datetime import datetime

import msgspec
import pytest

from pixmill.batch.datasets.packings.parquet import ROW_GROUP_SIZE, Parquet
from pixmill.batch.datasets.packings.tar import Tar, header
from pixmill.imaging.traits.traits import Traits
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
        assert [row["image"]["bytes"] for row in rows] == [content for _, contents in samples for content in contents]
        assert {name: value for name, value in rows[3].items() if name != "image"} == {
            "key": "a/b/photo 0001",
            "rendition": "640",
            "format": "jpeg",
            "width": 41,
            "height": 30,
            "hash": samples[1][0].members[1].digest.hex(),
            "source": "a/b/photo 0001.png",
            "columns": "{}",
            "thumbhash": None,
            "dominant_color": None,
            "dhash": None,
            "captured_at": None,
            "caption": None,
            "original_width": None,
            "original_height": None,
            "sha256": None,
        }

    def test_traits_are_columns_with_types(self, tmp_path):
        packed, contents = sample(0)
        traits = Traits("3OcRJYB4d3h/iIeHeEh3eIhw+j2w", "", "00ff00ff00ff00ff", "2024-05-17T10:11:12")
        member = msgspec.structs.replace(packed.members[0], traits=traits)
        path, _ = self.pack(tmp_path, [(msgspec.structs.replace(packed, members=(member,)), contents)])
        table = parquet.read_table(path)
        (row,) = table.to_pylist()
        assert row["captured_at"] == datetime(2024, 5, 17, 10, 11, 12)  # noqa: DTZ001  # by the clock of the camera
        assert (row["thumbhash"], row["dominant_color"], row["dhash"]) == (traits.thumbhash, None, traits.dhash)
        assert str(table.schema.field("captured_at").type) == "timestamp[ms]"

    def test_the_image_column_is_laid_out_and_described_as_the_feature_of_datasets(self, tmp_path):
        path, _ = self.pack(tmp_path, [sample(0)])
        table = parquet.read_schema(path)
        (name,) = json.loads(table.metadata[b"huggingface"])["info"]["features"]
        field = table.field(name)
        assert field.nullable
        assert [(part.name, str(part.type), part.nullable) for part in field.type] == [
            ("bytes", "binary", True),
            ("path", "string", True),
        ]

    def test_a_shard_of_an_earlier_version_can_be_read(self, tmp_path):
        _, contents = sample(0)
        path = tmp_path / "000000.parquet"
        parquet.write_table(pyarrow.table({"key": ["a"], "rendition": [""], "bytes": contents}), path)
        with closing(Parquet.reader(path)) as reader:
            assert reader.read(0, len(contents[0])) == contents[0]

    def test_a_reader_needs_no_more_memory_than_one_group_of_rows(self, tmp_path):
        samples = [sample(number, size=ROW_GROUP_SIZE // 3) for number in range(7)]
        path, positions = self.pack(tmp_path, samples)
        table = parquet.ParquetFile(path)
        assert [table.metadata.row_group(index).num_rows for index in range(table.num_row_groups)] == [3, 3, 1]
        with closing(Parquet.reader(path)) as reader:
            assert reader.read(positions[6][0], len(samples[6][1][0])) == samples[6][1][0]
