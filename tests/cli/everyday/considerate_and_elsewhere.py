"""Judges of jobs that are considerate of others, and of jobs elsewhere: data sets, machines, Python, containers."""

import io
import json
import shutil
import subprocess
import tarfile
import time

import pytest
from PIL import Image
from tests.cli.everyday.judging import ALL, Judges

from support.checkout import copy_checkout, has_container_engine

judges = Judges()


# Being considerate


@judges("Leave cores for others")
def leave_cores(desk):
    assert "img/s" in desk.type()
    assert desk.made() == ALL


@judges("Not more than N per second")
def not_more_than(desk):
    for number in range(10):
        shutil.copy(desk.folder / "photos" / "logo.png", desk.folder / "photos" / f"{number}.png")
    begun = time.monotonic()
    desk.type()
    assert time.monotonic() - begun > 1.5
    assert len(desk.made()) == 14


@judges("Less memory")
def less_memory(desk):
    desk.type()
    assert desk.made() == ALL


@judges("Stop if too much fails")
def too_much_fails(desk):
    desk.type()
    assert desk.made() == ALL
    for number in range(20):
        (desk.folder / "photos" / f"bad{number:02}.jpg").write_bytes(b"not an image")
    assert "more than --max-failures 5% allows" in desk.type(code=3)


@judges("Every night, with mail only if something failed")
def every_night(desk):
    assert desk.type() == ""
    assert desk.made() == ALL
    (desk.folder / "photos" / "bad.jpg").write_bytes(b"not an image")
    assert desk.type(code=1) == "1 image failed: pixmill failures web\n"


@judges("A log file")
def log_file(desk):
    desk.damage("photos/IMG_0001.jpg")
    desk.type(code=1)
    (line,) = (desk.folder / "failures.log").read_text().splitlines()
    assert "IMG_0001.jpg: truncated" in line


@judges("Metrics as JSON")
def metrics(desk):
    desk.type()
    numbers = json.loads((desk.folder / "metrics.json").read_text())
    assert (numbers["found"], numbers["done"], numbers["failed"]) == (4, 4, 0)


# Elsewhere


@judges("A data set for training")
def data_set(desk):
    desk.type()
    with tarfile.open(desk.folder / "train" / "000000.tar") as shard:
        names = shard.getnames()
        sizes = {Image.open(shard.extractfile(name)).size for name in names if name.endswith(".jpg")}
    assert sum(name.endswith(".jpg") for name in names) == 4
    assert sizes == {(512, 512)}


@judges("A table of pictures for pandas or Hugging Face")
def table(desk):
    dataset = pytest.importorskip("pyarrow.dataset", reason="the extra parquet is not installed")
    desk.type()
    rows = dataset.dataset(desk.folder / "train").to_table().to_pylist()
    assert len({row["source"] for row in rows}) == len(ALL)
    assert {Image.open(io.BytesIO(row["image"]["bytes"])).size for row in rows} == {(512, 512)}


@judges("A data set with captions, shuffled, with a part for validation")
def captions_and_parts(desk):
    rows = "".join(f"photos/{name},about {name}\n" for name in ("IMG_0001.jpg", "logo.png"))
    (desk.folder / "urls.csv").write_text("url,caption\n" + rows)
    desk.type()
    captions = []
    for path in sorted((desk.folder / "train").glob("*.tar")):
        assert path.name.partition("-")[0] in {"train", "val"}
        with tarfile.open(path) as shard:
            captions += [shard.extractfile(name).read().decode() for name in shard.getnames() if name.endswith(".txt")]
    assert sorted(captions) == sorted(line.partition(",")[2] for line in rows.splitlines())


@judges("Smaller pictures of a data set that others made")
def shards_of_others(desk):
    (desk.folder / "shards").mkdir()
    with tarfile.open(desk.folder / "shards" / "00000.tar", "w") as shard:
        shard.add(desk.folder / "photos" / "IMG_0001.jpg", "k1.jpg")
        caption = tarfile.TarInfo("k1.txt")
        caption.size = 5
        shard.addfile(caption, io.BytesIO(b"a cat"))
    desk.type()
    with tarfile.open(desk.folder / "smaller" / "000000.tar") as shard:
        assert shard.extractfile("00000/k1.txt").read() == b"a cat"
        assert max(Image.open(shard.extractfile("00000/k1.jpg")).size) == 256


@judges("On two machines at once")
def two_machines(desk):
    desk.type()
    assert desk.made() == ALL
    assert "2 parts: 2 finished" in desk.run("pixmill status web")


@judges("From Python")
def from_python(desk):
    assert "4 done, 0 failed" in desk.type()
    assert desk.size("web/IMG_0001.webp") == (800, 533)


@judges("With docker compose")
def docker_compose(desk):
    if not has_container_engine():
        pytest.skip("docker info does not answer")
    shutil.rmtree(desk.folder)
    copy_checkout(desk.folder)
    Image.new("RGB", (64, 48), "teal").save(desk.folder / "data" / "input" / "a.png")
    try:
        desk.type()
    finally:
        subprocess.run(("docker", "compose", "down", "--timeout", "1"), cwd=desk.folder, check=True, capture_output=True)
    assert (desk.folder / "data" / "output" / "a.jpg").exists()
