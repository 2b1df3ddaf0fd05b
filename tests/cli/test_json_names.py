"""Every line of JSON is read by strict decoders, also with names that are not UTF-8."""

import os

import msgspec
from tests.cli.conftest import write_picture

from pixmill.core.name_text import name_bytes


def strict(text):
    """Decode each line with a decoder that refuses lone surrogates, which ``json.loads`` accepts."""
    return [msgspec.json.decode(line) for line in text.splitlines()]


def test_names_that_are_not_utf_8_are_read_by_strict_decoders(pixmill, tmp_path):
    name, damaged = b"caf\xe9.jpg", b"bad\xff.jpg"
    write_picture(tmp_path / "photos" / "p.jpg")
    os.rename(tmp_path / "photos" / "p.jpg", os.fsencode(tmp_path / "photos") + b"/" + name)  # noqa: PTH104  # bytes
    (tmp_path / "photos" / os.fsdecode(damaged)).write_bytes(b"no image")
    files = ("--events", "e.jsonl", "--index", "i.jsonl", "--log-file", "l.jsonl", "--metrics-file", "m.json")
    lines = strict(pixmill("run", "photos", "out", "--json", *files).stdout)
    finished = {name_bytes(line["key"]): line for line in lines if line["event"] == "task_finished"}
    assert set(finished) == {name, damaged}
    (output,) = finished[name]["result"]["outputs"]
    assert output["name"] == "caf%00E9.jpg"
    assert (len(bytes.fromhex(output["digest"])), len(bytes.fromhex(output["mark"]))) == (16, 16)
    (report,) = (line for line in lines if line["event"] == "report")
    assert report["failures"]["not-an-image"]["keys"] == ["bad%00FF.jpg"]
    for file in files[1::2]:
        strict((tmp_path / file).read_text("ascii"))
    (entry,) = strict((tmp_path / "i.jsonl").read_text("ascii"))
    assert entry["outputs"][0]["digest"] == output["digest"]
    for command in ("plan photos other", "failures out", "status out", "verify out", "prune out"):
        strict(pixmill(*command.split(), "--json").stdout)
    (failed,) = strict(pixmill("failures", "out", "--json").stdout)
    assert name_bytes(failed["path"]) == damaged


def test_a_dataset_of_such_names_is_read_back_from_its_index(pixmill, tmp_path):
    write_picture(tmp_path / "photos" / os.fsdecode(b"caf\xe9.jpg"))
    assert pixmill("run", "photos", "tar://train").returncode == 0
    (line,) = strict((tmp_path / "train" / "_index.jsonl").read_text("ascii"))
    assert name_bytes(line["source"]) == b"caf\xe9.jpg"
    assert pixmill("verify", "tar://train").returncode == 0
