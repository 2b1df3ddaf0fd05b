"""What a bug report needs to say of the machine, in one screen."""

import json
import os
import platform

import pytest
import pyvips

import pixmill as library


def test_it_says_what_is_here_and_writes_nothing(pixmill, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    told = pixmill("doctor", folder)
    assert (told.returncode, told.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in told.stdout.splitlines() if not line.startswith(" "))
    labels = "pixmill python cores memory limits libraries reads writes extras runs sandbox folder"
    assert list(lines) == labels.split()
    assert lines["pixmill"].startswith(f"{library.__version__}, revision ")
    assert lines["python"].startswith(platform.python_version())
    assert f"libvips {pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}" in lines["libraries"]
    assert {"jpeg", "png", "webp", "avif"} <= set(lines["writes"].split(", "))
    assert lines["folder"].startswith(f"{folder}: ")
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == []


def test_a_machine_reads_the_same_as_one_record(pixmill, tmp_path):
    record = json.loads(pixmill("doctor", "--json").stdout)
    assert (record["folder"]["folder"], record["folder"]["is_writable"]) == (str(tmp_path), True)
    assert record["cores"] == len(os.sched_getaffinity(0)) <= record["all_cores"]
    assert set(record["extras"]) >= {"heif", "jxl", "s3", "ray", "dask"}


def test_a_folder_that_does_not_exist_yet_is_described_by_its_parent(pixmill, tmp_path):
    record = json.loads(pixmill("doctor", tmp_path / "new" / "out", "--json").stdout)
    assert record["folder"]["folder"] == str(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(pixmill):
    assert "this user cannot write there" in pixmill("doctor", "/").stdout
