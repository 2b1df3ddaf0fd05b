"""A dataset made by others as SRC: WebDataset shards and Parquet shards with pictures, as other programs write them."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

import pytest
from PIL import Image

import pixmill as library
from support.invariants import outputs

WORDS = ("--size", "32x32", "--workers", "2")
#: Writes a dataset of pictures as people do with Hugging Face ``datasets``.
SAVE = """
import sys
from datasets import Dataset, Features, Image, Value
target, kind, *files = sys.argv[1:]
images = [{"bytes": open(file, "rb").read(), "path": file.split("/")[-1]} if kind == "bytes" else file for file in files]
rows = {"image": images, "text": [f"text of {number}" for number in range(len(files))], "label": list(range(len(files)))}
features = Features({"image": Image(), "text": Value("string"), "label": Value("int64")})
Dataset.from_dict(rows, features=features).to_parquet(target)
"""


def picture(number, kind="JPEG"):
    buffer = io.BytesIO()
    Image.new("RGB", (90 + number, 60), (5 * number, 90, 200 - 3 * number)).save(buffer, kind)
    return buffer.getvalue()


def said_by_img2dataset(number):
    key = f"{number:09}"
    return {"url": f"https://example.org/{key}.jpg", "caption": f"caption {number}", "key": key, "status": "success", "width": 90}


@pytest.fixture
def shards(tmp_path):
    """Three tar shards of four samples, written by ``webdataset`` with the members that img2dataset gives them."""
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    (tmp_path / "shards").mkdir()
    for shard in range(3):
        with webdataset.TarWriter(str(tmp_path / "shards" / f"{shard:05}.tar")) as writer:
            for number in range(4 * shard, 4 * shard + 4):
                said = said_by_img2dataset(number)
                writer.write({"__key__": said["key"], "jpg": picture(number), "txt": said["caption"], "json": said})
    return tmp_path / "shards"


def write_table(path, rows, **options):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, **options)


@pytest.fixture
def tables(tmp_path):
    """Three Parquet shards of four rows with the columns of img2dataset, two rows to a group."""
    for shard in range(3):
        rows = [
            {**said_by_img2dataset(each), "txt": f"caption {each}", "jpg": picture(each)}
            for each in range(4 * shard, 4 * shard + 4)
        ]
        write_table(tmp_path / "tables" / f"{shard:05}.parquet", rows, row_group_size=2)
    return tmp_path / "tables"


def members(folder):
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            found |= {member.name: archive.extractfile(member).read() for member in archive}
    return found


def expected_keys():
    return [f"{number // 4:05}/{number:09}" for number in range(12)]


@pytest.mark.usefixtures("shards")
def test_a_folder_of_tar_shards_is_a_source_whose_captions_and_descriptions_are_carried_over(pixmill, tmp_path):
    run = pixmill("run", "tar://shards", "tar://out", *WORDS)
    assert run.returncode == 0, run.stderr
    assert "found     12 images" in run.stderr
    found = members(tmp_path / "out")
    assert list(found) == [f"{key}.{ending}" for key in expected_keys() for ending in ("jpg", "txt", "json")]
    for number, key in enumerate(expected_keys()):
        described = json.loads(found[f"{key}.json"])
        assert found[f"{key}.txt"].decode() == described["caption"] == f"caption {number}"
        assert described["columns"] == said_by_img2dataset(number)
        assert described["sha256"] == hashlib.sha256(picture(number)).hexdigest()
        assert max(Image.open(io.BytesIO(found[f"{key}.jpg"])).size) == 32
    again = pixmill("run", "tar://shards", "tar://out", *WORDS)
    assert "skipped   12 images" in again.stderr
    assert "other files" not in again.stderr  # captions are no files that were left out


def test_shards_given_one_by_one_are_the_folder(shards, pixmill, tmp_path):
    pixmill("run", "tar://shards", "tar://folder", *WORDS)
    run = pixmill("run", *sorted(f"shards/{path.name}" for path in shards.iterdir()), "tar://files", *WORDS)
    assert run.returncode == 0, run.stderr
    folder, files = members(tmp_path / "folder"), members(tmp_path / "files")
    assert {name: data for name, data in files.items() if not name.endswith(".json")} == {
        name: data for name, data in folder.items() if not name.endswith(".json")
    }


def test_files_come_out_of_shards_too(shards, pixmill, tmp_path):  # noqa: ARG001  # it writes them
    assert pixmill("run", "tar://shards", "out", *WORDS, "--index", "index.jsonl").returncode == 0
    assert sorted(outputs(tmp_path / "out")) == [f"{key}.jpg" for key in expected_keys()]
    lines = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text().splitlines()]
    assert [line["columns"]["caption"] for line in lines] == [f"caption {number}" for number in range(12)]


def test_a_changed_caption_processes_no_picture_again(shards, tmp_path):
    place, options = f"tar://{tmp_path}/out", {"size": "32x32", "workers": 1}
    library.run(shards / "00001.tar", place, **options)
    with tarfile.open(shards / "00001.tar") as archive:
        content = {member.name: (archive.extractfile(member).read(), member.mtime) for member in archive}
    content["000000005.txt"] = (b"another", 0)
    with tarfile.open(shards / "00001.tar", "w") as archive:
        for name, (data, time) in content.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), time
            archive.addfile(member, io.BytesIO(data))
    again = library.run(shards / "00001.tar", place, **options)
    assert members(tmp_path / "out")["000000005.txt"] == b"another"
    assert (again.counts.done, again.counts.skipped, again.outputs) == (1, 3, 0)


@pytest.mark.parametrize("given", ["parquet://tables", "several"])
def test_parquet_shards_with_pictures_are_a_source(tables, pixmill, tmp_path, given):
    source = sorted(f"tables/{path.name}" for path in tables.iterdir()) if given == "several" else [given]
    run = pixmill("run", *source, "tar://out", *WORDS)
    assert run.returncode == 0, run.stderr
    found = members(tmp_path / "out")
    assert [name for name in found if name.endswith(".jpg")] == [f"{key}.jpg" for key in expected_keys()]
    for number, key in enumerate(expected_keys()):
        described = json.loads(found[f"{key}.json"])
        assert found[f"{key}.txt"].decode() == f"caption {number}"
        assert described["columns"]["url"] == said_by_img2dataset(number)["url"]
        assert described["sha256"] == hashlib.sha256(picture(number)).hexdigest()
    assert "skipped   12 images" in pixmill("run", *source, "tar://out", *WORDS).stderr


def test_one_parquet_file_gives_files_named_by_its_keys(tables, pixmill, tmp_path):  # noqa: ARG001  # it writes them
    assert pixmill("run", "tables/00001.parquet", "out", *WORDS).returncode == 0
    assert sorted(outputs(tmp_path / "out")) == [f"{number:09}.jpg" for number in range(4, 8)]


@pytest.mark.parametrize("kind", ["bytes", "paths"])
def test_what_datasets_wrote_is_read_with_its_columns(pixmill, tmp_path, kind):
    pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    (tmp_path / "in").mkdir()
    files = [tmp_path / "in" / f"cat {number}.png" for number in range(5)]
    for number, path in enumerate(files):
        path.write_bytes(picture(number, "PNG"))
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    line = [sys.executable, "-c", SAVE, tmp_path / "part-0.parquet", kind, *files]
    subprocess.run(line, check=True, capture_output=True, env=environment)
    run = pixmill("run", "part-0.parquet", "tar://out", *WORDS, "--caption", "text")
    assert run.returncode == 0, run.stderr
    found, below = members(tmp_path / "out"), "" if kind == "bytes" else "in/"
    assert [name for name in found if name.endswith(".jpg")] == [f"{below}cat {number}.jpg" for number in range(5)]
    assert found[f"{below}cat 3.txt"] == b"text of 3"
    assert json.loads(found[f"{below}cat 3.json"])["columns"] == {"text": "text of 3", "label": 3}


def test_a_dataset_of_pixmill_is_a_source_and_says_nothing_of_itself_twice(shards, tables, pixmill, tmp_path):  # noqa: ARG001  # as above
    pixmill("run", "tar://shards", "tar://one", *WORDS)
    pixmill("run", "tar://shards", "parquet://two", *WORDS)
    for source in ("tar://one", "parquet://two"):
        name = f"again-{source[-3:]}"
        run = pixmill("run", source, f"tar://{name}", "--size", "16x16")
        assert run.returncode == 0, run.stderr
        found = members(tmp_path / name)
        key = "000000/00000/000000003"
        assert found[f"{key}.txt"] == b"caption 3"
        assert json.loads(found[f"{key}.json"])["columns"].items() >= {"url": "https://example.org/000000003.jpg"}.items()
        assert json.loads(found[f"{key}.json"])["columns"].keys() <= said_by_img2dataset(3).keys()


def test_a_picture_that_is_missing_or_none_costs_only_itself(pixmill, tmp_path):
    rows = [{"key": f"k{number}", "jpg": picture(number)} for number in range(4)]
    rows[1]["jpg"], rows[2]["jpg"] = None, b"no picture"
    write_table(tmp_path / "part.parquet", rows)
    run = pixmill("run", "part.parquet", "out", *WORDS)
    assert run.returncode == 1
    assert sorted(outputs(tmp_path / "out")) == ["k0.jpg", "k3.jpg"]
    failures = pixmill("failures", "out").stdout
    assert "row 1 of" in failures
    assert "has no picture: jpg is null" in failures


def test_a_shard_that_cannot_be_read_is_reported_and_the_others_follow(shards, pixmill, tmp_path):
    (shards / "00001.tar").write_bytes(b"no archive")
    run = pixmill("run", "tar://shards", "out", *WORDS)
    assert run.returncode == 1
    assert len(outputs(tmp_path / "out")) == 8
    assert "00001.tar is not a tar file" in pixmill("failures", "out").stdout


def test_rows_without_names_and_with_equal_or_foreign_ones_all_come_out(pixmill, tmp_path):
    paths = [None, "a.jpg", "a.jpg", "/home/me/b.jpg", "../../c.jpg", "", "d/e.jpg"]
    rows = [{"image": {"bytes": picture(number), "path": path}} for number, path in enumerate(paths)]
    write_table(tmp_path / "part.parquet", rows)
    run = pixmill("run", "part.parquet", "out", *WORDS)
    assert run.returncode == 0, run.stderr
    names = sorted(outputs(tmp_path / "out"))
    assert len(names) == len(paths)
    assert {"0.jpg", "5.jpg", "a.jpg", "b.jpg", "c.jpg", "d/e.jpg"} < set(names)


def test_a_list_in_parquet_stays_a_list_even_with_paths_as_bytes(pixmill, tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture(1))
    write_table(tmp_path / "list.parquet", [{"image": b"a.jpg", "label": 3}])
    assert pixmill("run", "list.parquet", "out", *WORDS).returncode == 0
    assert list(outputs(tmp_path / "out")) == ["a.jpg"]


def test_a_folder_of_shards_given_as_a_folder_is_answered_with_the_command(shards, pixmill):  # noqa: ARG001  # it writes them
    refused = pixmill("run", "shards", "out")
    assert refused.returncode == 2
    assert "pixmill run tar://shards out" in refused.stderr
    quoted = pixmill("run", "shards/*.tar", "out")
    assert "pixmill run tar://shards out" in quoted.stderr


@pytest.mark.parametrize(("words", "message"), [
    (("tar://shards", "tar://shards"), "SRC tar://shards is inside DST shards"),
    (("tar://shards", "tar://out", "--caption", "titel"), "tar://shards has no column 'titel'"),
    (("parquet://shards", "out"), "has no shards: no file in this folder ends in .parquet"),
    (("tar://nowhere", "out"), "name an existing folder of shards"),
    (("parquet://nowhere", "out"), "does not exist: expected a folder of shards"),
])  # fmt: skip
@pytest.mark.usefixtures("shards")
def test_what_is_no_dataset_is_refused_in_a_sentence(pixmill, words, message):
    refused = pixmill("run", *words)
    assert refused.returncode == 2
    assert message in refused.stderr


def test_a_retry_finds_the_shards_from_another_folder(shards, pixmill, tmp_path):
    whole = (shards / "00001.tar").read_bytes()
    (shards / "00001.tar").write_bytes(b"no archive")
    pixmill("run", "tar://shards", "out", *WORDS)
    (shards / "00001.tar").write_bytes(whole)
    (tmp_path / "elsewhere").mkdir()
    pixmill("retry", tmp_path / "out", cwd=tmp_path / "elsewhere")
    assert "found     12 images" in pixmill("run", "tar://shards", "out", *WORDS).stderr
    assert len(outputs(tmp_path / "out")) == 12


def test_a_damaged_table_is_reported_and_the_others_follow(tables, pixmill, tmp_path):
    data = (tables / "00001.parquet").read_bytes()
    (tables / "00001.parquet").write_bytes(data[:4] + bytes(len(data) - 2000) + data[-1996:])
    run = pixmill("run", "parquet://tables", "out", *WORDS)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert len(outputs(tmp_path / "out")) == 8
    assert "00001.parquet" in pixmill("failures", "out").stdout


def test_shards_that_differ_only_in_their_extension_share_no_names(tables, pixmill, tmp_path):
    (tables / "00001.parquet").rename(tables / "00000.pq")
    (tables / "00002.parquet").unlink()
    assert pixmill("run", "parquet://tables", "out", *WORDS).returncode == 0
    assert len(outputs(tmp_path / "out")) == 8
