"""``run --sample``: a few images from all folders, made in a scratch folder, and what they let expect of the whole run."""

import json
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from PIL import Image

import pixmill as package
from support.invariants import outputs


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Return the folder in which samples are made, and use it and the folder of states for this test alone."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def source(tmp_path):
    """Make 60 images in six folders, every tenth of them damaged."""
    for number in range(60):
        path = tmp_path / "in" / f"folder {number % 6}" / f"{number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 10 == 9:
            path.write_bytes(b"no image")
        else:
            Image.effect_noise((100 + 4 * number, 90), 40).convert("RGB").save(path)
    return tmp_path / "in"


def report_of(ended):
    """Return the last line of ``--json``."""
    return json.loads(ended.stdout.splitlines()[-1])


def files_in(folder):
    """Return the bytes of every file, with those of the state."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def sampled(folder):
    return set(outputs(Path(folder)))


def test_a_sample_is_made_in_a_scratch_folder_and_nothing_else_is_touched(pixmill, source, scratch, tmp_path):
    before = files_in(source)
    ended = pixmill("run", "in", "out", "--sample", "20", "--json")
    report = report_of(ended)
    sample = report["sample"]
    assert ended.returncode == (1 if report["counts"]["failed"] else 0) == report["exit_code"]
    assert (report["counts"]["found"], sample["images"], sample["found"]) == (20, 20, 60)
    assert sample["source_bytes"] == sum(path.stat().st_size for path in source.rglob("*.jpg"))
    assert [Path(sample["folder"])] == list(scratch.iterdir())
    assert len(sampled(sample["folder"])) == report["counts"]["done"]
    assert len({Path(name).parent for name in sampled(sample["folder"])}) > 3
    assert "<!doctype html>" in Path(sample["report"]).read_text()
    assert files_in(source) == before
    assert {path.name for path in tmp_path.iterdir()} == {"in", "tmp"}


@pytest.mark.usefixtures("source")
def test_the_estimates_hold_for_the_whole_run(pixmill):
    sample = report_of(pixmill("run", "in", "out", "--sample", "30", "--json"))["sample"]
    whole = report_of(pixmill("run", "in", "out", "--json"))
    assert whole["counts"]["found"] == 60
    low, high = sample["output_bytes"]["low"], sample["output_bytes"]["high"]
    assert low * 0.8 <= whole["bytes_out"] <= high * 1.2
    assert sample["failed"]["low"] <= whole["counts"]["failed"] <= sample["failed"]["high"]
    assert 0 < sample["seconds"]["low"] <= sample["seconds"]["value"] <= sample["seconds"]["high"]


@pytest.mark.usefixtures("source")
def test_the_summary_names_the_failures_and_the_next_commands(pixmill, tmp_path):
    ended = pixmill("run", "in", "out", "-q", "70", "--sample", "40", "--progress", "none")
    lines = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert any(line.startswith("sample    40 of 60 images (") for line in lines)
    assert any("not-an-image: " in line for line in lines)
    for label in ("output ", "time ", "failures "):
        assert any(line.startswith(f"          {label}") and " about " in line for line in lines)
    following = dict(line.split(":", 1) for line in lines if line.startswith("To "))
    listed = pixmill(*shlex.split(following["To list the failures"])[1:])
    assert "not-an-image" in listed.stdout
    whole = shlex.split(following["To process all images"])
    assert whole == ["pixmill", "run", "in", "out", "-q", "70", "--progress", "none"]
    assert pixmill(*whole[1:]).returncode == 1
    assert len(sampled(tmp_path / "out")) == 54
    subprocess.run(shlex.split(following["To remove the sample"]), check=True)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("source")
def test_the_same_images_are_chosen_again_and_by_a_larger_sample():
    names = [sampled(package.run("in", "out", sample=size).sample.folder) for size in (10, 10, 25)]
    assert names[0] == names[1] < names[2]


@pytest.mark.parametrize(("words", "images"), [(["--sample=5"], 5), (["--sample", "5%"], 3), (["--sample", "1000"], 60)])
@pytest.mark.usefixtures("source")
def test_a_sample_is_a_number_or_a_percentage(pixmill, words, images):
    report = report_of(pixmill("run", *words, "in", "out", "--json"))
    assert report["sample"]["images"] == images
    assert report["sample"]["command"] == ["pixmill", "run", "in", "out", "--json"]


@pytest.mark.usefixtures("source")
def test_it_works_in_a_variable_a_file_and_python(pixmill, tmp_path):
    (tmp_path / "job.toml").write_text('sample = "10%"\n')
    in_file = report_of(pixmill("run", "in", "out", "--config", "job.toml", "--json"))["sample"]
    in_variable = report_of(pixmill("run", "in", "out", "--json", env={"PIXMILL_SAMPLE": "6"}))["sample"]
    in_python = package.run("in", "out", sample=6).sample
    assert in_file["images"] == in_variable["images"] == in_python.images == 6
    assert in_variable["command"][:3] == ["env", "-u", "PIXMILL_SAMPLE"]
    assert Path(in_python.report).is_file()
    assert not (tmp_path / "out").exists()


def test_lists_archives_shards_and_single_images_have_samples(pixmill, source, tmp_path):
    paths = sorted(str(path) for path in source.rglob("*.jpg"))
    (tmp_path / "list.csv").write_text("path\n" + "\n".join(paths))
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        archive.add(source, "images")
    for words, found in ((["list.csv"], 60), (["images.tar"], 60), (["in", "--shard", "1/3"], None), ([paths[0]], 1)):
        report = report_of(pixmill("run", words[0], "out", "--sample", "8", "--json", *words[1:]))
        sample = report["sample"]
        assert sample["images"] == min(8, sample["found"])
        assert sample["found"] == (found or sample["found"]) <= 60
        assert sample["source_bytes"] > 0
        assert len(sampled(sample["folder"])) == report["counts"]["done"] > 0
    command = [sys.executable, *shlex.split("-m pixmill run - out --sample 8 --json")]
    ended = subprocess.run(command, input="\n".join(paths), capture_output=True, text=True, check=False)
    assert report_of(ended)["sample"]["images"] == 8
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("source")
def test_a_dataset_and_an_output_of_an_earlier_run_stay_as_they_are(pixmill, tmp_path):
    pixmill("run", "in", "out", "--shard", "1/2")
    before = files_in(tmp_path / "out")
    assert report_of(pixmill("run", "in", "out", "--sample", "5", "--json"))["sample"]["images"] == 5
    assert files_in(tmp_path / "out") == before
    sample = report_of(pixmill("run", "in", "tar://packed", "--sample", "5", "--shard-samples", "9", "--json"))["sample"]
    assert sampled(sample["folder"])
    assert not (tmp_path / "packed").exists()


@pytest.mark.usefixtures("source")
def test_buckets_are_not_touched(s3, pixmill, tmp_path):
    pixmill("run", "in", f"s3://{s3}/sampled/in", "--format", "keep")
    listed = report_of(pixmill("run", f"s3://{s3}/sampled/in", "all", "--json"))["counts"]["found"]
    (tmp_path / "states").rename(tmp_path / "former states")
    report = report_of(pixmill("run", f"s3://{s3}/sampled/in", f"s3://{s3}/sampled/out", "--sample", "5", "--json"))
    assert (report["sample"]["images"], report["sample"]["found"]) == (5, listed)
    assert sampled(report["sample"]["folder"])
    assert not (tmp_path / "states").exists()
    assert pixmill("run", f"s3://{s3}/sampled/out", "none").returncode == 2  # no images


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "in", "out", "--sample", "5", "--dry-run"], "give one of them"),
        (["run", "in", "out", "--sample", "5", "--serve"], "a sample has a report"),
        (["plan", "in", "out", "--sample", "5"], "it is an option of pixmill run"),
        (["watch", "in", "out", "--sample", "5"], "it is an option of pixmill run"),
        (["run", "in", "out", "--sample", "0"], "from 1 to 10000"),
        (["run", "in", "out", "--sample=some"], "such as 20"),
        (["run", "in", "out", "--sample"], "needs a value: a number of images"),
        (["run", "nowhere", "out", "--sample", "5"], "does not exist"),
    ],
)
@pytest.mark.usefixtures("source")
def test_what_makes_no_sense_is_refused_in_words(pixmill, scratch, words, hint):
    ended = pixmill(*words)
    assert (ended.returncode, hint in ended.stderr) == (2, True), ended.stderr
    assert list(scratch.iterdir()) == []


def test_a_source_without_images_is_refused_and_leaves_nothing(pixmill, scratch, tmp_path):
    (tmp_path / "empty").mkdir()
    ended = pixmill("run", "empty", "out", "--sample", "5")
    assert (ended.returncode, "no images" in ended.stderr) == (2, True)
    assert list(scratch.iterdir()) == []


@pytest.mark.usefixtures("source")
def test_a_sample_cannot_be_retried_and_quiet_names_it(pixmill, scratch):
    ended = pixmill("run", "in", "out", "--sample", "40", "--quiet")
    [folder] = scratch.iterdir()
    assert ended.stderr.splitlines()[-1].endswith(f"images failed: pixmill failures {folder}")
    before = sampled(folder)
    retried = pixmill("retry", str(folder))
    assert (retried.returncode, "a sample cannot be retried" in retried.stderr) == (2, True)
    assert sampled(folder) == before


def test_a_sample_shows_all_failures_however_many(pixmill, tmp_path):
    (tmp_path / "bad").mkdir()
    for number in range(130):
        (tmp_path / "bad" / f"{number}.jpg").write_bytes(b"no image")
    report = report_of(pixmill("run", "bad", "out", "--sample", "120", "--max-failures", "1", "--json"))
    assert (report["exit_code"], report["counts"]["failed"], report["sample"]["failed"]["value"]) == (1, 120, 130)
