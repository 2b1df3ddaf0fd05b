"""What people train on: captions, sizes and hashes of the sources, splits, an order by seed; read back by the programs they use."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial

import pytest
from PIL import Image

from support.invariants import counts, outputs, temporaries
from support.processes import wait_until

SMALL = ("--size", "32x32", "--shard-samples", "4", "--workers", "2")
#: Prints what ``datasets`` shows of a folder of Parquet shards, by split.
LOAD = """
import json, sys
from datasets import load_dataset
shown = load_dataset(sys.argv[1])
print(json.dumps({name: [(row["caption"], row["image"].size) for row in rows] for name, rows in shown.items()}))
"""


@pytest.fixture
def listed(tmp_path):
    """A list of twelve pictures with captions, one of which is missing."""
    (tmp_path / "photos").mkdir()
    lines = ["path,text,label"]
    for number in range(12):
        Image.new("RGB", (60 + number, 40), (20 * number, 90, 60)).save(tmp_path / "photos" / f"p{number:02}.jpg")
        lines.append(f"photos/p{number:02}.jpg,{'' if number == 5 else f'Bild {number}: schön'},{number % 3}")
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "list.csv"


def caption(number):
    return "" if number == 5 else f"Bild {number}: schön"


def samples_by_webdataset(folder):
    """Return the samples in the shards of a folder as ``webdataset`` yields them, by shard."""
    webdataset = pytest.importorskip("webdataset.tariterators", reason="webdataset is not installed")
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb") as file:
            members = [member | {"__url__": path.name} for member in webdataset.tar_file_iterator(file)]
        found[path.name] = list(webdataset.group_by_keys(members))
    return found


def test_webdataset_finds_a_caption_and_a_description_beside_each_picture(listed, pixmill, tmp_path):
    run = pixmill("run", listed, "tar://out", "--caption", "text", *SMALL)
    assert run.returncode == 0, run.stderr
    samples = [each for shard in samples_by_webdataset(tmp_path / "out").values() for each in shard]
    assert [each["txt"].decode() for each in samples] == [caption(number) for number in range(12)]
    for number, each in enumerate(samples):
        source = tmp_path / "photos" / f"p{number:02}.jpg"
        described = json.loads(each["json"])
        assert described["key"] == each["__key__"] == f"photos/p{number:02}"
        assert described["columns"] == {"text": caption(number), "label": str(number % 3)}
        assert described["caption"] == caption(number)
        assert (described["original_width"], described["original_height"]) == (60 + number, 40)
        assert described["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        assert (described["width"], described["height"]) != (described["original_width"], described["original_height"])


def test_tar_unpacks_captions_as_files(listed, pixmill, tmp_path):
    pixmill("run", listed, "tar://out", "--caption", "text", *SMALL)
    subprocess.run(["tar", "xf", tmp_path / "out" / "000000.tar", "-C", tmp_path], check=True)
    assert (tmp_path / "photos" / "p02.txt").read_text() == caption(2)


def test_another_caption_seals_the_shards_again_and_processes_nothing(listed, pixmill, tmp_path):
    pixmill("run", listed, "tar://out", "--caption", "text", *SMALL)
    again = pixmill("run", listed, "tar://out", "--caption", "label", *SMALL)
    assert "skipped   12 images" in again.stderr
    samples = [each for shard in samples_by_webdataset(tmp_path / "out").values() for each in shard]
    assert [each["txt"].decode() for each in samples] == [str(number % 3) for number in range(12)]
    pixmill("run", listed, "tar://afresh", "--caption", "label", *SMALL)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "afresh")


def test_pandas_and_pyarrow_have_captions_sizes_and_hashes_as_columns(listed, pixmill, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    pixmill("run", listed, "parquet://out", "--caption", "text", *SMALL)
    table = parquet.read_table(tmp_path / "out")
    assert table["caption"].to_pylist() == [caption(number) for number in range(12)]
    assert table["original_width"].to_pylist() == [60 + number for number in range(12)]
    hashes = [hashlib.sha256((tmp_path / "photos" / f"p{number:02}.jpg").read_bytes()).hexdigest() for number in range(12)]
    pandas = pytest.importorskip("pandas")
    assert list(pandas.read_parquet(tmp_path / "out")["sha256"]) == hashes


def test_the_size_of_a_source_is_that_of_the_upright_picture(pixmill, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "in" / "a.jpg", exif=exif)
    pixmill("run", "in", "tar://out", "--size", "16x16")
    ((sample,),) = samples_by_webdataset(tmp_path / "out").values()
    described = json.loads(sample["json"])
    assert [described[name] for name in ("original_width", "original_height", "width", "height")] == [40, 60, 11, 16]


def test_datasets_shows_each_split_with_pictures_and_captions(listed, pixmill, tmp_path):
    pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    pixmill("run", listed, "parquet://out", "--caption", "text", "--split", "train=0.7,test=0.3", "--shuffle", "1", *SMALL)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", LOAD, str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    shown = json.loads(ended.stdout.splitlines()[-1])
    assert shown.keys() == {"train", "test"}
    assert sorted(text for rows in shown.values() for text, _ in rows) == sorted(map(caption, range(12)))
    assert all(max(size) == 32 for rows in shown.values() for _, size in rows)


def keys_by_split(folder):
    found = {}
    for name, samples in samples_by_webdataset(folder).items():
        found.setdefault(name.partition("-")[0], []).extend(each["__key__"] for each in samples)
    return found


def test_a_sample_stays_in_its_split_when_others_are_added_or_removed(listed, pixmill, tmp_path):
    words = ("--split", "train=0.6,val=0.4", *SMALL)
    pixmill("run", listed, "tar://out", *words)
    before = keys_by_split(tmp_path / "out")
    assert before.keys() == {"train", "val"}
    for number in range(12, 24):
        Image.new("RGB", (50, 40), (9 * number, 9, 9)).save(tmp_path / "photos" / f"p{number:02}.jpg")
    rows = listed.read_text() + "".join(f"photos/p{number:02}.jpg,more,1\n" for number in range(12, 24))
    listed.write_text(rows.replace("photos/p03", "photos/p23"))
    pixmill("run", listed, "tar://afresh", *words)
    after = keys_by_split(tmp_path / "afresh")
    for split, keys in before.items():
        assert set(keys) - {"photos/p03"} == set(after[split]) & set(keys)


def test_a_dataset_that_gets_splits_and_an_order_is_packed_again_without_processing(listed, pixmill, tmp_path):
    pixmill("run", listed, "tar://out", *SMALL)
    words = ("--split", "train=0.6,val=0.4", "--shuffle", "5", *SMALL)
    again = pixmill("run", listed, "tar://out", *words)
    assert "skipped   12 images" in again.stderr
    pixmill("run", listed, "tar://afresh", *words)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "afresh")
    assert pixmill("verify", "out").returncode == 0
    pixmill("run", listed, "tar://plain", *SMALL)
    pixmill("run", listed, "tar://out", *SMALL)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "plain")


def test_a_seed_decides_about_the_order(listed, pixmill, tmp_path):
    orders = []
    for name, seed in (("one", "1"), ("again", "1"), ("two", "2")):
        pixmill("run", listed, f"tar://{name}", "--shuffle", seed, "--workers", "2", "--size", "16x16")
        orders.append(keys_by_split(tmp_path / name)["000000.tar"])
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(orders[2])
    assert len({tuple(order) for order in [*orders, sorted(orders[0])]}) == 3


def test_the_index_names_samples_shard_by_shard_so_that_a_lost_catalogue_is_made_from_it(listed, pixmill, tmp_path):
    words = ("--caption", "text", "--split", "train=0.6,val=0.4", "--shuffle", "5", *SMALL)
    pixmill("run", listed, "tar://out", *words)
    before = outputs(tmp_path / "out")
    lines = [json.loads(line) for line in before["_index.jsonl"].decode().splitlines()]
    samples = samples_by_webdataset(tmp_path / "out")
    assert {(line["shard"], line["key"]) for line in lines} == {
        (name, each["__key__"]) for name, shard in samples.items() for each in shard
    }
    for line in lines:
        with (tmp_path / "out" / line["shard"]).open("rb") as file:
            file.seek(line["members"][0]["offset"])
            assert file.read(2) == b"\xff\xd8"
    for path in (tmp_path / "out" / ".pixmill").glob("catalogue.sqlite*"):
        path.unlink()
    again = pixmill("run", listed, "tar://out", *words)
    assert "skipped   12 images" in again.stderr, again.stderr
    assert outputs(tmp_path / "out") == before


@pytest.mark.parametrize(("words", "message"), [
    (("list.csv", "tar://out", "--caption", "captoin"), "list.csv has no column 'captoin'"),
    (("list.csv", "tar://out", "--caption", "lable"), "did you mean 'label'?"),
    (("photos", "tar://out", "--caption", "text"), "captions come from a column of a list"),
    (("list.csv", "out", "--caption", "text"), "caption requires a dataset"),
    (("photos", "out", "--split", "train=1", "--shuffle", "3"), "split and shuffle require a dataset"),
    (("photos", "tar://out", "--split", "train=0.8,val=0.1"), "these add up to 0.9"),
    (("photos", "tar://out", "--shuffle", "yes"), "--shuffle: expected an integer"),
])  # fmt: skip
@pytest.mark.usefixtures("listed")
def test_what_is_wrong_is_refused_before_anything_runs(pixmill, tmp_path, words, message):
    refused = pixmill("run", *words)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_sample_of_the_run_needs_no_dataset(listed, pixmill):
    run = pixmill("run", listed, "tar://out", "--sample", "3", "--caption", "text", "--split", "a=1", "--shuffle", "2")
    assert run.returncode == 0, run.stderr


def test_a_caption_of_a_step_goes_out_too(listed, pixmill, tmp_path):
    (tmp_path / "steps.py").write_text("def bright(image):\n    return image.with_columns(tag=f'{image.width} wide')\n")
    run = pixmill("run", listed, "tar://out", "--caption", "tag", "--step", "python:function=steps.py:bright", *SMALL)
    assert run.returncode == 0, run.stderr
    first = next(iter(samples_by_webdataset(tmp_path / "out").values()))[0]
    assert first["txt"] == b"32 wide"


@pytest.fixture
def many(tmp_path):
    """A list of 500 pictures with captions, one of which is no picture."""
    lines = ["path,caption"]
    (tmp_path / "many").mkdir()
    for number in range(500):
        Image.new("RGB", (9, 7), (number % 256, number // 4, 60)).save(tmp_path / "many" / f"{number:03}.png", compress_level=0)
        lines.append(f"many/{number:03}.png,picture {number}")
    (tmp_path / "many" / "077.png").write_bytes(b"no picture")
    (tmp_path / "many.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "many.csv"


def has_come_so_far(process, place, done):
    return counts(place).done >= done or process.poll() is not None


@pytest.mark.parametrize("packing", ["tar", "parquet"])
def test_shuffled_splits_are_the_same_whenever_the_run_is_killed(many, tmp_path, clean_environment, packing):
    words = ("--format", "png", "--shard-samples", "40", "--workers", "2", "--durability", "none", "--quiet")
    words = (*words, "--caption", "caption", "--split", "train=0.8,val=0.2", "--shuffle", "11")

    def start(destination):
        line = [sys.executable, "-m", "pixmill", "run", many, f"{packing}://{destination}", *words]
        return subprocess.Popen(line, env=clean_environment, start_new_session=True)

    assert start(tmp_path / "whole").wait(240) == 1
    place = tmp_path / "killed"

    def kill(process):
        with suppress(ProcessLookupError):  # it was faster than its kill
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    for done in (100, 350):
        process = start(place)
        wait_until(partial(has_come_so_far, process, place, done), seconds=120)
        kill(process)
    process = start(place)
    wait_until(lambda: next(place.glob(f"*.{packing}"), None) or process.poll() is not None, seconds=120)  # while it seals
    kill(process)
    assert start(place).wait(240) == 1
    assert outputs(place) == outputs(tmp_path / "whole")
    assert temporaries(place) == []
    names = [path.name for path in place.glob(f"*.{packing}")]
    assert {name.partition("-")[0] for name in names} == {"train", "val"}


def test_what_is_pruned_leaves_its_split_and_the_captions_of_the_others_stay(listed, pixmill, tmp_path):
    words = ("--caption", "text", "--split", "train=0.6,val=0.4", "--shuffle", "5", *SMALL)
    pixmill("run", listed, "tar://out", *words)
    rows = [line for line in listed.read_text().splitlines() if "p03" not in line]
    listed.write_text("\n".join(rows) + "\n")
    (tmp_path / "photos" / "p03.jpg").unlink()
    pruned = pixmill("prune", "tar://out", listed, "--yes")
    assert pruned.returncode == 0, pruned.stderr
    pixmill("run", listed, "tar://afresh", *words)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "afresh")
