"""``pixmill prune`` keeps outputs of images that may still exist or were left out, and files that are not as it wrote them."""

import os
import shutil

import pytest
from PIL import Image

from support.pruning import draw, names, prune, run


@pytest.mark.parametrize("away", ["trip", "trip/day 1", ""])
def test_an_empty_folder_is_a_disk_that_is_not_mounted(pixmill, album, out, tmp_path, away):
    (album / away).rename(tmp_path / "elsewhere")
    (album / away).mkdir()
    listed = pixmill("prune", out)
    assert listed.stdout.count("may still exist") == 1
    assert f"{album / away} is empty".replace("/ is", " is") in listed.stdout
    assert prune(pixmill, out, "--yes", "--max-delete", "100%")["files"] == 0
    assert len(names(out)) == 12


def test_a_source_that_is_missing_removes_nothing(pixmill, album, out):
    shutil.rmtree(album)
    result = prune(pixmill, out, "--yes", "--max-delete", "100%")
    assert result["files"] == 0
    assert result["remarks"] == [f"12 images may still exist: {album} cannot be found"]
    assert len(names(out)) == 12


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_removes_nothing(pixmill, album, out):
    (album / "trip").chmod(0)
    try:
        assert prune(pixmill, out, "--yes", "--max-delete", "100%")["files"] == 0
    finally:
        (album / "trip").chmod(0o755)


@pytest.mark.parametrize("words", [("--include", "p0*"), ("--exclude", "*"), ("--shard", "1/3")])
def test_what_a_run_leaves_out_is_not_gone(pixmill, album, out, words):
    pixmill("run", album, out, *words, "--quiet")
    assert prune(pixmill, out, "--yes", "--max-delete", "100%")["files"] == 0
    assert len(names(out)) == 12


def test_neither_is_another_extension_or_what_a_run_of_a_single_file_leaves_out(pixmill, album, tmp_path):
    (album / "p00.png").rename(album / "p00.image")
    run(pixmill, album, tmp_path / "out", "--all-files")
    run(pixmill, album, tmp_path / "out")
    run(pixmill, album / "p03.png", tmp_path / "out")
    assert prune(pixmill, tmp_path / "out", "--yes", "--max-delete", "100%")["files"] == 0
    (album / "p03.png").unlink()
    assert prune(pixmill, tmp_path / "out")["removed"]["source-gone"]["first"] == ["p03.jpg"]


def test_a_changed_output_and_files_of_others_stay(pixmill, album, out):
    (out / "p00.jpg").write_bytes(b"edited by hand")
    same_size = bytearray((out / "p03.jpg").read_bytes())
    same_size[-1] ^= 1
    (out / "p03.jpg").write_bytes(same_size)
    (out / "p06.jpg").unlink()
    (out / "p06.jpg").symlink_to(album / "trip" / "p01.png")
    (out / "mine.jpg").write_bytes(b"mine")
    for name in ("p00", "p03", "p06", "p09"):
        (album / f"{name}.png").unlink()
    result = prune(pixmill, out, "--yes")
    assert result["removed"]["source-gone"]["files"] == 1
    assert result["kept"]["changed"]["first"] == ["p00.jpg", "p03.jpg"]
    assert {"p00.jpg", "p03.jpg", "p06.jpg", "mine.jpg"} <= {path.name for path in out.iterdir()}
    assert not (out / "p09.jpg").exists()
    assert (album / "trip" / "p01.png").exists()


def test_a_file_that_was_adopted_stays(pixmill, album, tmp_path):
    draw(tmp_path / "mine.png")
    (tmp_path / "out").mkdir()
    Image.open(tmp_path / "mine.png").save(tmp_path / "out" / "p00.jpg")
    run(pixmill, album, "out", "--existing", "adopt")
    for name in ("p00", "p03"):
        (album / f"{name}.png").unlink()
    result = prune(pixmill, "out", "--yes")
    assert result["removed"]["source-gone"]["first"] == ["p03.jpg"]
    assert result["kept"]["adopted"]["first"] == ["p00.jpg"]
    assert (tmp_path / "out" / "p00.jpg").exists()


def test_nothing_is_removed_through_a_link(pixmill, album, out, tmp_path):
    (out / "trip").rename(tmp_path / "big disk")
    (out / "trip").symlink_to(tmp_path / "big disk")
    shutil.rmtree(album / "trip")
    result = prune(pixmill, out, "--yes", "--max-delete", "100%")
    assert result["files"] == 0
    assert result["kept"]["changed"]["files"] == 8
    assert len(list((tmp_path / "big disk").rglob("*.jpg"))) == 8
