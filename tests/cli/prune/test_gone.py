"""``pixmill prune`` lists the outputs whose image is gone, removes them when told, and leaves everything else as it was."""

import json
import shutil

import pytest

import pixmill as python_api
from support.pruning import draw, names, prune, run
from support.snapshots import snapshot


def test_what_is_gone_is_listed_first_and_removed_when_told(pixmill, album, out):
    before = names(out)
    (album / "p00.png").unlink()
    (album / "trip" / "p01.png").unlink()
    listed = pixmill("prune", out)
    assert listed.returncode == 0
    assert "would remove 2 files of 12 recorded outputs" in listed.stdout
    assert "whose image is gone: p00.jpg, trip/p01.jpg" in listed.stdout
    assert f"pixmill prune {out} --yes" in listed.stderr
    assert names(out) == before
    removed = pixmill("prune", out, "--yes")
    assert "removed 2 files" in removed.stdout
    assert names(out) == [name for name in before if name not in ("p00.jpg", "trip/p01.jpg")]
    assert "nothing to remove of 10 recorded outputs" in pixmill("prune", out).stderr
    assert pixmill("verify", out).returncode == 0
    assert "done     10 images" in pixmill("status", out).stdout


def test_nothing_is_removed_and_nothing_touched_when_nothing_is_gone(pixmill, out):
    before = snapshot(out)
    assert prune(pixmill, out)["files"] == 0
    assert prune(pixmill, out, "--yes")["files"] == 0
    assert snapshot(out) == before


def test_a_folder_that_is_gone_goes_with_everything_below_it_and_its_empty_folders_do_too(pixmill, album, out):
    (out / "mine").mkdir()
    shutil.rmtree(album / "trip")
    assert prune(pixmill, out, "--yes")["removed"]["source-gone"]["files"] == 8
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        "mine", "p00.jpg", "p03.jpg", "p06.jpg", "p09.jpg"
    ]  # fmt: skip


def test_a_name_that_was_freed_can_be_given_again(pixmill, album, out):
    (album / "p00.png").unlink()
    prune(pixmill, out, "--yes")
    draw(album / "p00.gif", 77)
    run(pixmill, album, out)
    assert "p00.jpg" in names(out)


def test_an_image_that_failed_keeps_its_earlier_output_until_it_is_gone(pixmill, album, out):
    (album / "p00.png").write_bytes(b"no picture")
    assert pixmill("run", album, out).returncode == 1
    assert prune(pixmill, out, "--yes")["files"] == 0
    (album / "p00.png").unlink()
    assert prune(pixmill, out, "--yes")["removed"]["source-gone"]["first"] == ["p00.jpg"]
    assert json.loads(pixmill("status", out, "--json").stdout)["failed"] == 0


def test_all_shards_are_pruned_as_one(pixmill, album, tmp_path):
    out = tmp_path / "out"
    for shard in ("1/3", "2/3", "3/3"):
        run(pixmill, album, out, "--shard", shard)
    shutil.rmtree(album / "trip")
    result = prune(pixmill, out, "--yes", "--max-delete", "8")
    assert result["outputs"] == 12
    assert result["files"] == 8
    assert names(out) == ["p00.jpg", "p03.jpg", "p06.jpg", "p09.jpg"]
    assert "done     4 images" in pixmill("status", out).stdout


def test_an_output_that_was_split_again_is_pruned_as_it_is_now(pixmill, album, out):
    for shard in ("1/2", "2/2"):
        run(pixmill, album, out, "--shard", shard)
    (album / "p00.png").unlink()
    assert prune(pixmill, out, "--yes")["files"] == 1
    run(pixmill, album, out)
    assert json.loads(pixmill("status", out, "--json").stdout)["done"] == 11


def test_a_state_folder_elsewhere(pixmill, album):
    run(pixmill, album, "out", "--state", "state")
    (album / "p00.png").unlink()
    assert pixmill("prune", "out").returncode == 2
    assert prune(pixmill, "out", "--state", "state", "--yes")["files"] == 1


def test_it_is_the_same_in_python(album, out):
    (album / "p00.png").unlink()
    assert python_api.prune(out).files == 1
    assert (out / "p00.jpg").exists()
    with pytest.raises(python_api.ConfigError, match="more than 0"):
        python_api.prune(out, yes=True, max_delete=0)
    result = python_api.prune(out, album, yes=True)
    assert result.is_removed
    assert result.removed["source-gone"].first == ["p00.jpg"]
    assert not (out / "p00.jpg").exists()


def test_a_failed_image_that_is_gone_has_records_to_remove_but_no_file(pixmill, album, out):
    broken = album / "broken.jpg"
    broken.write_text("no image")
    pixmill("run", album, out)
    broken.unlink()
    listed = pixmill("prune", out)
    assert listed.stdout.splitlines()[0] == "would remove the records of 1 image without outputs"
    assert pixmill("prune", out, "--yes").stdout.splitlines()[0] == "removed the records of 1 image without outputs"
    assert "failed   0 images" in pixmill("status", out).stdout
