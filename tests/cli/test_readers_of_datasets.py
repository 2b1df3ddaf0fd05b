"""Programs that people read datasets with, on the folder as it is: pyarrow, pandas, Hugging Face ``datasets``."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest
from PIL import Image

EXIF, TAKEN = 0x8769, 0x9003
#: Loads shards and prints the sizes of the pictures in them, in a process of its own, which opens no network.
LOAD = """
import json, sys
from datasets import load_dataset
kind, place, column = sys.argv[1:]
arguments = {"path": place} if kind == "folder" else {"path": kind, "data_files": place}
rows = load_dataset(**arguments, split="train")
print(json.dumps([row[column].size for row in rows]))
"""


@pytest.fixture
def dated(tmp_path):
    """A folder of two photographs, one of which says when it was taken."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    exif = Image.Exif()
    exif.get_ifd(EXIF)[TAKEN] = "2024:05:17 10:11:12"
    Image.new("RGB", (80, 60), (200, 30, 10)).save(folder / "a.jpg", exif=exif)
    Image.new("RGB", (60, 80), (10, 30, 200)).save(folder / "sub" / "b.jpg")
    return folder


def loaded(kind, place, column, *, folder, home):
    """Return the sizes of the pictures that ``datasets`` shows to a program in ``folder``."""
    pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    command = [sys.executable, "-c", LOAD, kind, place, column]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    return json.loads(ended.stdout.splitlines()[-1])


def test_pyarrow_reads_the_folder_with_its_indexes(dated, pixmill, tmp_path):
    dataset = pytest.importorskip("pyarrow.dataset")
    assert pixmill("run", dated, "parquet://out", "--size", "32x32").returncode == 0
    rows = dataset.dataset(tmp_path / "out").to_table().to_pylist()
    assert [(row["key"], row["width"], row["captured_at"] is not None) for row in rows] == [("a", 32, True), ("sub/b", 24, False)]
    assert Image.open(io.BytesIO(rows[0]["image"]["bytes"])).size == (32, 24)
    assert [row["dominant_color"][:2] for row in rows] == ["#c", "#0"]


def test_pandas_reads_the_folder_with_its_indexes(dated, pixmill, tmp_path):
    pandas = pytest.importorskip("pandas")
    pixmill("run", dated, "parquet://out", "--size", "32x32", "--shard-samples", "1")
    frame = pandas.read_parquet(tmp_path / "out")
    assert list(frame["source"]) == ["a.jpg", "sub/b.jpg"]
    assert str(frame["captured_at"][0]) == "2024-05-17 10:11:12"


def test_datasets_shows_the_image_column_as_pictures(dated, pixmill, tmp_path):
    pixmill("run", dated, "parquet://out", "--size", "32x32")
    assert loaded("folder", "out", "image", folder=tmp_path, home=tmp_path / "home") == [[32, 24], [24, 32]]


def test_keys_that_are_no_paths_show_the_outputs_also_in_the_folder_of_the_originals(dated, pixmill, tmp_path):
    pixmill("run", dated, "tar://out", "--size", "32x32", "--name", "{hash}")
    sizes = loaded("webdataset", str(tmp_path / "out" / "*.tar"), "jpg", folder=dated, home=tmp_path / "home")
    assert sorted(sizes) == [[24, 32], [32, 24]]


def test_the_description_of_a_sample_says_how_it_looks_in_text_whatever_is_known(dated, pixmill, tmp_path):
    pixmill("run", dated, "tar://out", "--sizes", "16,32")
    with tarfile.open(tmp_path / "out" / "000000.tar") as archive:
        first, second = (json.load(archive.extractfile(f"{key}.json")) for key in ("a", "sub/b"))
    assert (first["captured_at"], second["captured_at"]) == ("2024-05-17T10:11:12", "")
    assert first["renditions"].keys() == {"16.jpg", "32.jpg"}
    assert all(each["dominant_color"].startswith("#c") for each in first["renditions"].values())
    lines = [json.loads(line) for line in (tmp_path / "out" / "_index.jsonl").read_text().splitlines()]
    assert [line["captured_at"] for line in lines] == ["2024-05-17T10:11:12", ""]
    assert lines[0]["members"][0]["thumbhash"] == first["renditions"]["16.jpg"]["thumbhash"]
