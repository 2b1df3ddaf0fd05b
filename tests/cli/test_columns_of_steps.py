"""What steps find, such as a caption or a score: in the index, in datasets and their sidecars, and still there after a re-run."""

import json
import tarfile

import pytest
from PIL import Image

import pixmill as library

STEPS = """
import numpy as np

import pixmill


def bright(image):
    if image.width == 77:
        return image.with_columns(bad=object())
    return image.with_columns(brightness=image.to_numpy().mean(), sides=[image.width, image.height])


class Caption(pixmill.Step):
    batch_size = 2

    def batch(self, images):
        return [image.with_columns(caption=f"{image.columns.get('sides')} of {len(images)}", count=np.int64(7)) for image in images]
"""
WORDS = ("--step", "python:function=steps.py:bright", "--step", "resize:width=20", "--step", "python:function=steps.py:Caption")


@pytest.fixture
def source(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "steps.py").write_text(STEPS)
    for number in range(3):
        Image.new("RGB", (40, 30), (100 + number,) * 3).save(tmp_path / "src" / f"{number}.png")
    return "src"


def lines(path):
    return {line["source"]: line for line in map(json.loads, path.read_text().splitlines())}


def test_they_are_in_the_index_also_of_a_run_that_makes_nothing(pixmill, source, tmp_path):
    for _ in range(2):
        assert pixmill("run", source, "out", *WORDS, "--index", "index.jsonl").returncode == 0
        columns = lines(tmp_path / "index.jsonl")["1.png"]["columns"]
        assert columns.pop("caption").startswith("[40, 30] of ")
        assert columns == {"brightness": 101.0, "sides": [40, 30], "count": 7}


def test_they_join_those_of_a_list_and_reach_the_sidecars_and_tables_of_datasets(pixmill, source, tmp_path):
    (tmp_path / "list.csv").write_text(f"path,label\n{source}/0.png,cat\n{source}/2.png,dog\n")
    assert pixmill("run", "list.csv", "tar://tars", *WORDS).returncode == 0
    with tarfile.open(next((tmp_path / "tars").glob("*.tar"))) as shard:
        member = next(name for name in shard.getnames() if name.endswith("2.json"))
        sidecar = json.load(shard.extractfile(member))
    assert sidecar["columns"].items() >= {"label": "dog", "brightness": 102.0, "count": 7}.items()
    parquet = pytest.importorskip("pyarrow.parquet")
    assert pixmill("run", "list.csv", "parquet://tables", *WORDS).returncode == 0
    table = parquet.read_table(next((tmp_path / "tables").glob("*.parquet")))
    assert json.loads(table["columns"].to_pylist()[0]).items() >= {"label": "cat", "sides": [40, 30]}.items()


def test_what_is_no_plain_data_fails_the_image_and_says_which_column(pixmill, source, tmp_path):
    Image.new("RGB", (77, 30)).save(tmp_path / "src" / "odd.png")
    assert pixmill("run", source, "out", *WORDS).returncode == 1
    assert "column bad: expected text, a number, a list or a table, received object" in pixmill("failures", "out").stdout


def test_an_output_of_process_has_them(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = library.process(f"{source}/0.png", {"steps": [{"operation": "python", "function": "steps.py:bright"}]})
    assert output.columns == {"brightness": 100.0, "sides": [40, 30]}


def test_frames_of_an_animation_say_it_together(pixmill, source, tmp_path):
    frames = [Image.new("RGB", (30, 30), (value,) * 3) for value in (10, 200)]
    frames[0].save(tmp_path / "src" / "moving.gif", save_all=True, append_images=frames[1:])
    words = ("--step", "python:function=steps.py:bright", "--format", "webp", "--animated", "keep", "--index", "index.jsonl")
    assert pixmill("run", source, "out", *words).returncode == 0
    columns = lines(tmp_path / "index.jsonl")["moving.gif"]["columns"]
    assert columns["sides"] == [30, 30]
    assert columns["brightness"] > 190  # of the last frame
