"""A dataset as DST, with the real command: shards instead of files, and no other difference."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest
from PIL import Image

import pixmill
from pixmill.batch.datasets.events import ShardSealed
from pixmill.core.events import Observer
from support.invariants import counts, outputs, temporaries
from support.processes import wait_until

SMALL = ("--size", "32x32", "--shard-samples", "3", "--workers", "2")


@pytest.fixture
def many(tmp_path):
    """A thousand pictures, all different, and one that is none."""
    folder = tmp_path / "many"
    for number in range(1000):
        path = folder / f"{number % 7}" / f"p{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (number % 256, number // 4, 60)).save(path, compress_level=0)
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


def shards(folder):
    return {name: data for name, data in outputs(folder).items() if name.endswith((".tar", ".parquet"))}


def samples(folder):
    """The sources of all samples in the shards of a folder, from the shards themselves."""
    found = []
    for name in sorted(shards(folder)):
        with tarfile.open(folder / name) as archive:
            found += [json.load(archive.extractfile(member))["source"] for member in archive if member.name.endswith(".json")]
    return found


def test_a_run_makes_shards_and_the_next_one_nothing(photos, pixmill, tmp_path):
    run = pixmill("run", photos, "tar://out", *SMALL)
    assert run.returncode == 0, run.stderr
    assert "[SEALED] 000000.tar: 3 samples, " in run.stderr
    assert sorted(outputs(tmp_path / "out")) == ["000000.tar", "000001.tar", "_index.jsonl", "_shards.json"]
    before = outputs(tmp_path / "out")
    again = pixmill("run", photos, "tar://out", *SMALL)
    assert "skipped   4 images" in again.stderr
    assert outputs(tmp_path / "out") == before
    assert samples(tmp_path / "out") == ["p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]


def test_questions_about_a_dataset_are_answered_as_those_about_a_folder(photos, pixmill, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    assert pixmill("run", photos, "tar://out", *SMALL).returncode == 1
    assert "done     4 images" in pixmill("status", "tar://out").stdout
    assert "bad.jpg" in pixmill("failures", "out").stdout
    verified = pixmill("verify", "out")
    assert (verified.returncode, verified.stdout) == (1, ""), verified.stderr  # one image failed, no output differs
    Image.new("RGB", (50, 40), "red").save(photos / "bad.jpg")
    retried = pixmill("retry", "out")
    assert retried.returncode == 0, retried.stderr
    assert samples(tmp_path / "out") == ["bad.jpg", "p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]
    plan = pixmill("plan", photos, "tar://out", *SMALL)
    assert "unchanged      5 images" in plan.stdout


def test_verify_finds_one_bit_that_fell_over_in_a_shard(photos, pixmill, tmp_path):
    pixmill("run", photos, "tar://out", *SMALL)
    line = json.loads((tmp_path / "out" / "_index.jsonl").read_text().splitlines()[1])
    path = tmp_path / "out" / line["shard"]
    data = bytearray(path.read_bytes())
    data[line["members"][0]["offset"] + 40] ^= 1
    path.write_bytes(data)
    verified = pixmill("verify", "tar://out")
    assert verified.returncode == 1
    assert verified.stdout == "p1.jpg: content differs\n"


def test_repair_makes_a_damaged_shard_again(photos, pixmill, tmp_path):
    pixmill("run", photos, "tar://out", *SMALL)
    before = outputs(tmp_path / "out")
    data = bytearray((tmp_path / "out" / "000000.tar").read_bytes())
    data[600] ^= 1
    (tmp_path / "out" / "000000.tar").write_bytes(data)
    repaired = pixmill("verify", "tar://out", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert outputs(tmp_path / "out") == before


def test_a_shard_that_was_changed_is_left_alone_until_replacing_is_asked_for(photos, pixmill, tmp_path):
    pixmill("run", photos, "tar://out", *SMALL)
    before, shard = outputs(tmp_path / "out"), tmp_path / "out" / "000000.tar"
    edited = shard.read_bytes() + b"edited"
    shard.write_bytes(edited)
    again = pixmill("run", photos, "tar://out", *SMALL)
    assert again.returncode == 0
    assert "skipped   3 images: an output was changed" in again.stderr
    assert "output changed 3 images" in pixmill("plan", photos, "tar://out", *SMALL).stdout
    assert shard.read_bytes() == edited
    Image.new("RGB", (50, 40), "red").save(photos / "a-first.jpg")
    ended = pixmill("run", photos, "tar://out", *SMALL)
    assert ended.returncode == 3
    assert "000000.tar was changed since pixmill wrote it" in ended.stderr
    assert shard.read_bytes() == edited
    (photos / "a-first.jpg").unlink()
    replaced = pixmill("run", photos, "tar://out", *SMALL, "--existing", "replace")
    assert replaced.returncode == 0, replaced.stderr
    assert pixmill("verify", "tar://out").returncode == 0
    assert before


def test_a_lost_shard_is_made_again(photos, pixmill, tmp_path):
    pixmill("run", photos, "tar://out", *SMALL)
    before = outputs(tmp_path / "out")
    (tmp_path / "out" / "000000.tar").unlink()
    assert pixmill("verify", "tar://out").stdout.count("missing") == 3
    again = pixmill("run", photos, "tar://out", *SMALL)
    assert "done      3 images" in again.stderr
    assert outputs(tmp_path / "out") == before


def test_parquet_holds_every_rendition(photos, pixmill, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    run = pixmill("run", photos, "parquet://out", "--sizes", "32,16", "--formats", "webp,jpeg", "--name", "{hash}")
    assert run.returncode == 0, run.stderr
    table = parquet.read_table(tmp_path / "out" / "000000.parquet").to_pylist()
    assert Counter((row["width"], row["format"]) for row in table) == dict.fromkeys(
        [(32, "webp"), (32, "jpeg"), (16, "webp"), (16, "jpeg")], 4
    )
    assert len({row["key"] for row in table}) == 4


def test_a_further_rendition_costs_only_itself(photos, tmp_path):
    options = {"name": "{stem}", "workers": 1, "shard_samples": 3}
    pixmill.run(photos, f"tar://{tmp_path}/out", sizes=(32, 16), **options)
    report = pixmill.run(photos, f"tar://{tmp_path}/out", sizes=(32, 24, 16), **options)
    assert (report.counts.done, report.outputs) == (4, 4)
    pixmill.run(photos, f"tar://{tmp_path}/afresh", sizes=(32, 24, 16), **options)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "afresh")


@pytest.mark.usefixtures("photos")
def test_what_a_list_says_of_an_image_comes_with_its_sample(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    listed = tmp_path / "list.csv"
    listed.write_text("path,label\n" + "".join(f"photos/p{number}.jpg,cat {number}\n" for number in range(4)))
    assert pixmill.run(listed, f"tar://{tmp_path}/tar", workers=1).counts.done == 4
    with tarfile.open(tmp_path / "tar" / "000000.tar") as archive:
        result = [json.load(archive.extractfile(member)) for member in archive if member.name.endswith(".json")]
    assert [each["columns"] for each in result] == [{"label": f"cat {number}"} for number in range(4)]
    listed.write_text(listed.read_text().replace("cat 3", "dog"))
    again = pixmill.run(listed, f"tar://{tmp_path}/tar", workers=1)
    assert (again.counts.done, again.outputs) == (1, 0)
    lines = [json.loads(line) for line in (tmp_path / "tar" / "_index.jsonl").read_text().splitlines()]
    assert lines[3]["columns"] == {"label": "dog"}
    pixmill.run(listed, f"parquet://{tmp_path}/tar", workers=1)
    rows = parquet.read_table(tmp_path / "tar" / "000000.parquet").to_pylist()
    assert json.loads(rows[3]["columns"]) == {"label": "dog"}


def test_the_parts_of_a_divided_run_seal_shards_of_their_own(photos, pixmill, tmp_path):
    for part in ("1/2", "2/2"):
        assert pixmill("run", photos, "tar://out", *SMALL, "--shard", part).returncode == 0
    assert {name.partition("-")[0].lstrip("_") for name in outputs(tmp_path / "out")} == {"1of2", "2of2"}
    assert sorted(samples(tmp_path / "out")) == ["p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]
    assert pixmill("verify", "tar://out").returncode == 0
    other = pixmill("run", photos, "tar://out", *SMALL, "--shard", "1/3")
    assert other.returncode == 2
    assert "a shard that this output did not write" in other.stderr


@pytest.mark.parametrize(("destination", "words", "message"), [
    ("tar://", (), "expected a folder after tar://"),
    ("tar://https://host/out", (), "in a folder or a bucket"),
    ("tar://parquet://out", (), "another dataset"),
    ("out", ("--shard-size", "1MB"), "shard_size requires a dataset"),
    ("tar://out", ("--name", "{ext}/{stem}.{ext}"), "names samples"),
])  # fmt: skip
def test_what_cannot_be_a_dataset_is_refused(photos, pixmill, destination, words, message):
    refused = pixmill("run", photos, destination, *words)
    assert refused.returncode == 2
    assert message in refused.stderr


def test_a_dataset_cannot_be_watched(photos, pixmill):
    refused = pixmill("watch", photos, "tar://out")
    assert refused.returncode == 2
    assert "watch cannot write a dataset" in refused.stderr


class StopAtFirstShard(Observer):
    def __init__(self):
        self.run = None
        self.sealed = []

    def on_event(self, event):
        if isinstance(event, ShardSealed):
            self.sealed.append(event.name)
            self.run.stop("SIGTERM")

    def close(self):
        pass


def test_a_signal_while_shards_are_sealed_ends_the_run_and_the_next_one_goes_on(photos, tmp_path):
    observer = StopAtFirstShard()
    options = {"size": "32x32", "shard_samples": 1, "workers": 1}
    with pixmill.open_run(photos, f"tar://{tmp_path}/out", observers=[observer], **options) as run:
        observer.run = run
        assert len(list(run)) == 4
    assert run.report().exit_code == 143
    assert list(shards(tmp_path / "out")) == observer.sealed == ["000000.tar"]
    report = pixmill.run(photos, f"tar://{tmp_path}/out", **options)
    assert (report.counts.skipped, report.exit_code) == (4, 0)
    assert samples(tmp_path / "out") == ["p0.jpg", "p1.jpg", "p2.jpg", "p3.jpg"]


def has_come_so_far(process, place, done):
    return counts(place).done >= done or process.poll() is not None


def test_a_thousand_images_give_the_same_shards_whenever_the_run_is_killed(many, tmp_path, clean_environment):
    words = ("--format", "png", "--shard-samples", "90", "--workers", "2", "--durability", "none", "--quiet")

    def start(destination):
        line = [sys.executable, "-m", "pixmill", "run", many, f"tar://{destination}", *words]
        return subprocess.Popen(line, env=clean_environment, start_new_session=True)

    assert start(tmp_path / "whole").wait(120) == 1
    place = tmp_path / "killed"
    for done in (200, 700):
        process = start(place)
        wait_until(partial(has_come_so_far, process, place, done), seconds=60)
        with suppress(ProcessLookupError):  # it was faster than its kill
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert start(place).wait(120) == 1
    assert outputs(place) == outputs(tmp_path / "whole")
    assert len(shards(place)) == 12
    assert len(set(samples(place))) == 1000
    assert temporaries(place) == []
    assert not any(path.is_file() for path in (place / ".pixmill" / "parts").rglob("*"))
