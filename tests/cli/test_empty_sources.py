"""A source without a single image ends with exit code 2, whatever kind of source it is and whether it was processed before."""

import json
import subprocess
import tarfile
import zipfile

import pytest
from PIL import Image
from tests.cli.conftest import COMMAND, write_picture

import pixmill as library


def folder(tmp_path):
    (tmp_path / "src").mkdir()
    return "src"


def other_files(tmp_path):
    (tmp_path / folder(tmp_path) / "notes.txt").write_text("no picture")
    return "src"


def hidden(tmp_path):
    write_picture(tmp_path / folder(tmp_path) / ".a.jpg")
    return "src"


def links(tmp_path):
    write_picture(tmp_path / "elsewhere" / "a.jpg")
    (tmp_path / folder(tmp_path) / "a.jpg").symlink_to("../elsewhere/a.jpg")
    (tmp_path / "src" / "d").symlink_to("../elsewhere")
    return "src"


def lines(tmp_path):
    (tmp_path / "src.txt").write_text("\n")
    return "src.txt"


def table(tmp_path):
    (tmp_path / "src.csv").write_text("path,label\n")
    return "src.csv"


def json_lines(tmp_path):
    (tmp_path / "src.jsonl").write_text("")
    return "src.jsonl"


def zip_file(tmp_path):
    zipfile.ZipFile(tmp_path / "src.zip", "w").close()
    return "src.zip"


def tar_file(tmp_path):
    tarfile.open(tmp_path / "src.tar", "w").close()
    return "src.tar"


def zip_of_other_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "src.zip", "w") as archive:
        archive.writestr("notes.txt", "no picture")
    return "src.zip"


KINDS = {
    folder: (": it is empty", "put images there first"),
    other_files: (" (1 other file)", "--all-files"),
    hidden: (" (1 hidden file)", ""),
    links: (" (2 symbolic links)", "--follow-symlinks takes symbolic links"),
    lines: (": it is empty", "one path or URL on each line"),
    table: (": it is empty", "one path or URL on each line"),
    json_lines: (": it is empty", "one path or URL on each line"),
    zip_file: (": it is empty", "an archive with images in it"),
    tar_file: (": it is empty", "an archive with images in it"),
    zip_of_other_files: (" (1 other file)", "--all-files"),
}


@pytest.mark.parametrize("words", [("run",), ("plan",), ("run", "--shard", "2/3")])
@pytest.mark.parametrize("make", KINDS)
def test_nothing_found_is_exit_2_and_one_sentence(pixmill, tmp_path, make, words):
    source = make(tmp_path)
    why, what_to_do = KINDS[make]
    ended = pixmill(words[0], source, "out", *words[1:])
    assert ended.returncode == 2
    told = ended.stderr.splitlines()
    assert told[0] == f"pixmill: no images found in {source}{why}"
    assert what_to_do in "".join(told[1:])
    assert len(told) <= 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shard", [(), ("--shard", "1/2")])
def test_it_is_the_same_when_the_output_exists_and_the_source_was_emptied(pixmill, photos, tmp_path, shard):
    assert pixmill("run", photos, "out", *shard).returncode == 0
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "out").rglob("*.jpg"))
    for photo in photos.iterdir():
        photo.unlink()
    for words in (("run",), ("plan",)):
        ended = pixmill(*words, photos, "out", *shard)
        assert ended.returncode == 2
        assert "no images found" in ended.stderr
        assert "an earlier run found images: check that SRC is complete, and mounted" in ended.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "out").rglob("*.jpg")) == before
    status = json.loads(pixmill("status", "out", "--json").stdout)
    assert status["done"] == len(before)


@pytest.mark.parametrize(
    "words", [("run", "nowhere", "out"), ("plan", "nowhere", "out"), ("run", "nowhere", "out", "--shard", "1/2")]
)
def test_a_source_that_does_not_exist_is_exit_2_as_well(pixmill, words):
    ended = pixmill(*words)
    assert ended.returncode == 2
    assert "does not exist" in ended.stderr


@pytest.mark.parametrize("option", ["--include", "--exclude"])
def test_so_is_a_source_whose_images_are_all_left_out_by_patterns(pixmill, photos, option):
    pattern = "*.png" if option == "--include" else "*.jpg"
    for words in (("run", photos, "out"), ("run", photos / "p1.jpg", "out"), ("plan", photos, "out", "--json")):
        ended = pixmill(*words, option, pattern)
        assert ended.returncode == 2
        assert f"{option} '{pattern}'" in ended.stderr


def test_machines_are_told_what_was_left_out(pixmill, photos):
    lines = pixmill("run", photos, "out", "--json", "--include", "mex").stdout.splitlines()
    record = json.loads(lines[-1])
    assert len(lines) == 1
    assert (record["event"], record["reason"], record["exit_code"]) == ("report", "no-images", 2)
    assert record["ignored"] == {"not-included": 4}
    assert record["patterns"] == [{"option": "include", "pattern": "mex", "images": 0, "is_used": False}]


def test_a_shard_that_happens_to_have_none_of_the_images_is_done(pixmill, photos):
    ends = [pixmill("run", photos, "out", "--shard", f"{index}/16") for index in range(1, 17)]
    assert {ended.returncode for ended in ends} == {0}
    empty = [ended.stderr for ended in ends if "found     0 images" in ended.stderr]
    assert len(empty) >= 12
    assert all("has none of the 4 images" in told for told in empty)
    first_empty = next(index for index, ended in enumerate(ends, 1) if "found     0 images" in ended.stderr)
    planned = pixmill("plan", photos, "out2", "--shard", f"{first_empty}/16")
    assert planned.returncode == 0
    assert f"shard {first_empty}/16 has none of the 4 images" in planned.stdout


def test_python_raises_the_same_error(tmp_path):
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        with pytest.raises(library.ConfigError, match="no images found") as raised:
            library.run(tmp_path / "empty", tmp_path / "out")
        assert raised.value.code == "no-images"


def test_standard_input_without_a_row(tmp_path, clean_environment):

    ended = subprocess.run(
        [*COMMAND, "run", "-", "out"], cwd=tmp_path, env=clean_environment, input="", capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("pixmill: no images found in -: it is empty")


def test_a_prefix_of_a_store_without_objects(tmp_path):
    with pytest.raises(library.ConfigError, match=r"no images found in memory://nothing/here: it is empty") as raised:
        library.run("memory://nothing/here", tmp_path / "out")
    assert raised.value.hint == "check the address: nothing is stored below it"


def test_images_that_must_be_allowed_are_named_with_the_option_that_reads_them(pixmill, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 40), "teal").save(tmp_path / "photos" / "scan.jp2")
    refused = pixmill("run", "photos", "out")
    assert refused.returncode == 2
    assert "no images found in photos (1 JPEG 2000)\n  --allow jpeg2000 reads them\n" in refused.stderr
    assert pixmill("run", "photos", "out", "--allow", "jpeg2000").returncode == 0
