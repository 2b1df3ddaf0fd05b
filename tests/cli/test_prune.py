"""``pixmill prune`` and ``run --mirror``: they remove outputs whose image is gone, and nothing that may still be wanted."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from PIL import Image

import pixmill as python_api
from support.invariants import outputs
from support.snapshots import snapshot


def draw(path, shade=120, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade % 256, 90, shade // 256)).save(path)


@pytest.fixture
def album(tmp_path):
    """Twelve pictures in three folders."""
    folder = tmp_path / "album"
    for number in range(12):
        draw(folder / ("", "trip", "trip/day 1")[number % 3] / f"p{number:02}.png", 10 * number)
    return folder


@pytest.fixture
def out(tmp_path, pixmill, album):
    run(pixmill, album, tmp_path / "out")
    return tmp_path / "out"


def run(pixmill, *words):
    ended = pixmill("run", *words, "--quiet")
    assert ended.returncode == 0, ended.stderr


def prune(pixmill, *words):
    """Run ``pixmill prune`` and return its record."""
    ended = pixmill("prune", *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def names(folder):
    return sorted(outputs(folder))


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


def test_only_the_source_that_lost_an_image_loses_its_output(pixmill, album, out, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(album, other)
    draw(other / "p00.png", 250)
    run(pixmill, other, out)
    before = outputs(out)
    (other / "p00.png").unlink()
    shutil.rmtree(album / "trip" / "day 1")
    assert prune(pixmill, out, other)["removed"]["source-gone"]["first"] == ["p00.png.jpg"]
    assert prune(pixmill, out, "--yes", "--max-delete", "5")["files"] == 5
    lost = before.keys() - outputs(out).keys()
    assert lost == {"p00.png.jpg", *(f"trip/day 1/p{number:02}.jpg" for number in (2, 5, 8, 11))}
    assert outputs(out).items() <= before.items()


def test_a_name_that_was_freed_can_be_given_again(pixmill, album, out):
    (album / "p00.png").unlink()
    prune(pixmill, out, "--yes")
    draw(album / "p00.gif", 77)
    run(pixmill, album, out)
    assert "p00.jpg" in names(out)


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


def test_sizes_and_formats_that_are_no_longer_asked_for_go(pixmill, album, tmp_path):
    out = tmp_path / "out"
    run(pixmill, album, out, "--sizes", "10,20,30")
    run(pixmill, album, out, "--sizes", "20,30")
    result = prune(pixmill, out)
    assert result["removed"]["not-requested"]["files"] == 12
    refused = pixmill("prune", out, "--yes")
    assert refused.returncode == 2
    assert "12 files would be removed, 33% of the recorded outputs" in refused.stderr
    assert "--max-delete 12" in refused.stderr
    assert len(names(out)) == 36
    assert prune(pixmill, out, "--yes", "--max-delete", "50%")["is_removed"]
    assert len(names(out)) == 24
    assert pixmill("verify", out).returncode == 0
    run(pixmill, album, out, "--sizes", "10,20,30")
    assert len(names(out)) == 36


def test_but_not_if_the_last_run_left_images_out_or_did_not_finish(pixmill, album, tmp_path):
    out = tmp_path / "out"
    run(pixmill, album, out, "--sizes", "10,20,30")
    run(pixmill, album, out, "--sizes", "20,30")
    run(pixmill, album, out, "--sizes", "20,30", "--include", "p00.png")
    result = prune(pixmill, out, "--yes", "--max-delete", "100%")
    assert result["files"] == 0
    assert result["kept"]["last-run-partial"]["files"] == 12
    assert len(names(out)) == 36


def test_an_option_that_adds_images_leaves_none_out(pixmill, album, tmp_path):
    for wanted in ("png", "jpeg"):
        run(pixmill, album, tmp_path / "out", "--all-files", "--format", wanted)
    assert prune(pixmill, "out")["removed"]["not-requested"]["files"] == 12


def test_an_image_that_failed_keeps_its_earlier_output_until_it_is_gone(pixmill, album, out):
    (album / "p00.png").write_bytes(b"no picture")
    assert pixmill("run", album, out).returncode == 1
    assert prune(pixmill, out, "--yes")["files"] == 0
    (album / "p00.png").unlink()
    assert prune(pixmill, out, "--yes")["removed"]["source-gone"]["first"] == ["p00.jpg"]
    assert json.loads(pixmill("status", out, "--json").stdout)["failed"] == 0


@pytest.mark.parametrize(("limit", "code"), [("3", 2), ("4", 0), ("33%", 2), ("34%", 0)])
def test_the_limit_is_a_number_or_a_share(pixmill, album, out, limit, code):
    shutil.rmtree(album / "trip" / "day 1")
    assert pixmill("prune", out, "--yes", "--max-delete", limit).returncode == code
    assert len(names(out)) == (12 if code else 8)


@pytest.mark.parametrize("limit", ["-1", "101%", "some", "1.5", ""])
def test_another_limit_is_refused(pixmill, out, limit):
    refused = pixmill("prune", out, f"--max-delete={limit}")
    assert refused.returncode == 2
    assert "expected a number of files such as 500, or a share of the outputs such as 25%" in refused.stderr


def test_more_than_a_tenth_and_more_than_ten_files_need_to_be_said(pixmill, tmp_path):
    for number in range(120):
        draw(tmp_path / "many" / f"{number:03}.png", number)
    run(pixmill, "many", "out")
    for number in range(12):
        (tmp_path / "many" / f"{number:03}.png").unlink()
    assert prune(pixmill, "out", "--yes")["files"] == 12
    for number in range(12, 24):
        (tmp_path / "many" / f"{number:03}.png").unlink()
    refused = pixmill("prune", "out", "--yes")
    assert refused.returncode == 2
    assert "more than a tenth" in refused.stderr
    assert "--max-delete 12" in pixmill("prune", "out").stderr


def test_rows_of_a_list_go_only_when_a_list_is_named(pixmill, album, tmp_path):
    paths = sorted(album.rglob("*.png"))
    (tmp_path / "all.txt").write_text("".join(f"{path}\n" for path in paths))
    (tmp_path / "new.txt").write_text("".join(f"{path}\n" for path in paths[1:]))
    (tmp_path / "other.txt").write_text("nowhere.png\n")
    run(pixmill, "all.txt", "out")
    paths[1].unlink()
    listed = pixmill("prune", "out")
    assert "12 images come from a list or the web; name the list to remove those that are not in it" in listed.stdout
    assert pixmill("prune", "out", "other.txt").returncode == 2
    assert prune(pixmill, "out", "all.txt")["files"] == 0
    result = prune(pixmill, "out", "new.txt", "--yes")
    assert result["removed"]["not-in-list"]["files"] == 1
    assert len(names(tmp_path / "out")) == 11


def test_a_list_with_a_row_that_names_nothing_removes_nothing(pixmill, album, tmp_path):
    (tmp_path / "all.txt").write_text("".join(f"{path}\n" for path in album.rglob("*.png")))
    run(pixmill, "all.txt", "out")
    (tmp_path / "new.txt").write_text(f"ftp://nowhere/x.png\n{album / 'p00.png'}\n")
    result = prune(pixmill, "out", "new.txt", "--yes", "--max-delete", "100%")
    assert result["files"] == 0
    assert "new.txt is not readable as a whole" in result["remarks"][0]


def test_a_list_does_not_remove_what_a_run_of_its_folder_made(pixmill, album, out):
    (album / "some.txt").write_text("p00.png\n")
    run(pixmill, album / "some.txt", out)
    assert prune(pixmill, out, album / "some.txt", "--yes", "--max-delete", "100%")["files"] == 0
    assert len(names(out)) == 12


def test_the_members_of_an_archive(pixmill, album, tmp_path):
    def pack(paths):
        with tarfile.open(tmp_path / "photos.tar", "w") as archive:
            for path in paths:
                archive.add(path, path.relative_to(album))

    paths = sorted(album.rglob("*.png"))
    pack(paths)
    run(pixmill, "photos.tar", "out")
    pack(paths[2:])
    assert prune(pixmill, "out", "--yes")["removed"]["source-gone"]["files"] == 2
    pack([])
    assert prune(pixmill, "out", "--yes", "--max-delete", "100%")["files"] == 0
    (tmp_path / "photos.tar").unlink()
    assert prune(pixmill, "out", "--yes", "--max-delete", "100%")["files"] == 0
    assert len(names(tmp_path / "out")) == 10


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


GATE = """
import time
from pathlib import Path


def wait(image):
    Path("began").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    return image
"""


def test_while_a_run_is_working_it_can_be_listed_but_not_pruned(pixmill, album, out, tmp_path, clean_environment):
    (tmp_path / "gate.py").write_text(GATE)
    (album / "p00.png").unlink()
    line = [sys.executable, "-m", "pixmill", "run", album, out, "--step", "python:function=gate.py:wait", "--quiet"]
    with subprocess.Popen(line, cwd=tmp_path, env=clean_environment):
        try:
            while not (tmp_path / "began").exists():
                time.sleep(0.01)
            assert prune(pixmill, out)["files"] == 1
            refused = pixmill("prune", out, "--yes")
            assert refused.returncode == 3
            assert "another run is writing" in refused.stderr
        finally:
            (tmp_path / "go").touch()
    assert (out / "p00.jpg").exists()


#: prunes "out", and kills itself before the call number argv[1] that removes a file, removes a folder or changes the ledger
KILLED = """
import os, signal, sqlite3, sys
import pixmill

left, connect, unlink, rmdir = int(sys.argv[1]), sqlite3.connect, os.unlink, os.rmdir

def counted(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

class Counting(sqlite3.Connection):
    def execute(self, statement, *arguments):
        act = super().execute
        return (act if statement.startswith(("SELECT", "PRAGMA")) else counted(act))(statement, *arguments)

    def executemany(self, *arguments):
        return counted(super().executemany)(*arguments)

sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Counting, **options)
os.unlink, os.rmdir = counted(unlink), counted(rmdir)
pixmill.prune("out", yes=True, max_delete="100%")
"""


def test_a_kill_at_any_moment_loses_nothing_else(pixmill, album, tmp_path, clean_environment):
    run(pixmill, album, "all", "--sizes", "8,16,32")
    run(pixmill, album, "all", "--sizes", "16,32")
    shutil.rmtree(album / "trip" / "day 1")
    (album / "p00.png").unlink()
    shutil.copytree(tmp_path / "all", tmp_path / "done")
    prune(pixmill, "done", "--yes", "--max-delete", "100%")
    wanted = outputs(tmp_path / "done")
    assert len(wanted) == 7 * 2
    for calls in itertools.count(step=3):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.copytree(tmp_path / "all", tmp_path / "out")
        line = [sys.executable, "-c", KILLED, str(calls)]
        code = subprocess.run(line, cwd=tmp_path, env=clean_environment, check=False).returncode
        assert outputs(tmp_path / "out").items() >= wanted.items()
        prune(pixmill, "out", "--yes", "--max-delete", "100%")
        assert outputs(tmp_path / "out") == wanted
        assert pixmill("verify", "out").returncode == 0
        assert "done     7 images" in pixmill("status", "out").stdout
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert calls > 30


@pytest.mark.parametrize("shard", [(), ("--shard", "1/2")])
def test_a_run_with_mirror_prunes_its_own_source_when_it_has_finished(pixmill, album, tmp_path, shard):
    out, other = tmp_path / "out", tmp_path / "other"
    for name in ("x.png", "y.png"):
        draw(other / name)
    if shard:
        run(pixmill, album, out, "--shard", "2/2")
    run(pixmill, album, out, *shard)
    run(pixmill, other, out, *shard)
    before = names(out)
    for path in (*album.rglob("p*.png"), other / "x.png"):
        if path.name not in ("p00.png", "p02.png"):
            path.unlink()
    (album / "trip" / "kept.txt").touch()
    refused = pixmill("run", album, out, "--mirror", *shard, "--max-delete", "1")
    assert refused.returncode == 2
    assert names(out) == before
    ended = pixmill("run", album, out, "--mirror", *shard, "--max-delete", "100%")
    assert ended.returncode == 0, ended.stderr
    assert "whose image is gone" in ended.stderr
    assert {"p00.jpg", "trip/day 1/p02.jpg"} <= set(names(out))
    if not shard:
        assert names(out) == ["p00.jpg", "trip/day 1/p02.jpg", "x.jpg", "y.jpg"]
    else:
        assert len(before) > len(names(out)) > 4


def test_a_run_with_mirror_takes_a_list_for_all_that_is_wanted_unless_there_are_others(pixmill, album, tmp_path):
    paths = sorted(album.rglob("*.png"))
    (tmp_path / "all.txt").write_text("".join(f"{path}\n" for path in paths))
    run(pixmill, "all.txt", "out")
    (tmp_path / "all.txt").write_text("".join(f"{path}\n" for path in paths[1:]))
    assert "is not in the list" in pixmill("run", "all.txt", "out", "--mirror").stderr
    (tmp_path / "two.txt").write_text(f"{paths[4]}\n")
    ended = pixmill("run", "two.txt", "out", "--mirror", "--max-delete", "100%")
    assert "come from a list" in ended.stderr
    assert len(names(tmp_path / "out")) == 11


def test_a_dataset_is_written_again_without_what_is_gone(pixmill, album, tmp_path):
    run(pixmill, album, "tar://out", "--size", "16x16", "--shard-samples", "5")
    shutil.rmtree(album / "trip" / "day 1")
    assert prune(pixmill, "out")["files"] == 4
    assert prune(pixmill, "tar://out", "--yes")["files"] == 4
    members = []
    for shard in sorted((tmp_path / "out").glob("*.tar")):
        with tarfile.open(shard) as archive:
            members += archive.getnames()
    assert len([name for name in members if name.endswith(".jpg")]) == 8
    assert not [name for name in members if name.startswith("trip/day 1")]
    assert pixmill("verify", "tar://out").returncode == 0
    run(pixmill, album, "tar://out", "--size", "16x16", "--shard-samples", "5")


def test_a_state_folder_elsewhere(pixmill, album):
    run(pixmill, album, "out", "--state", "state")
    (album / "p00.png").unlink()
    assert pixmill("prune", "out").returncode == 2
    assert prune(pixmill, "out", "--state", "state", "--yes")["files"] == 1


def test_a_source_that_has_moved_is_looked_for_where_it_is_now(pixmill, album, out, tmp_path):
    album.rename(tmp_path / "moved")
    run(pixmill, tmp_path / "moved", out)
    (tmp_path / "moved" / "p00.png").unlink()
    assert prune(pixmill, out, "--yes")["files"] == 1


def test_a_link_that_leads_elsewhere_now_removes_nothing(pixmill, album, tmp_path):
    (tmp_path / "current").symlink_to(album)
    run(pixmill, "current", "out")
    draw(tmp_path / "next" / "x.png")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(tmp_path / "next")
    result = prune(pixmill, "out", "--yes", "--max-delete", "100%")
    assert result["files"] == 0
    assert result["remarks"] == [f"12 images may still exist: no run leads to {album} any more"]


def test_a_source_that_no_run_had_is_refused(pixmill, out, tmp_path):
    (tmp_path / "stranger").mkdir()
    refused = pixmill("prune", out, "stranger")
    assert refused.returncode == 2
    assert "stranger is not a source of" in refused.stderr
    assert "its runs read" in refused.stderr


def test_sources_that_were_run_together(pixmill, album, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(album, other)
    for name in ("x.png", "y.png"):
        draw(tmp_path / "loose" / name, 200)
    run(pixmill, album, other, *sorted((tmp_path / "loose").iterdir()), "out")
    assert len(names(tmp_path / "out")) == 26
    assert prune(pixmill, "out")["files"] == 0
    for path in (album / "p00.png", other / "trip" / "p01.png", tmp_path / "loose" / "x.png"):
        path.unlink()
    ended = pixmill("run", album, other, "loose/y.png", "out", "--mirror")
    assert ended.returncode == 0, ended.stderr
    assert "removed 3 files" in ended.stderr
    assert {"album/p00.jpg", "other/trip/p01.jpg", "x.jpg"}.isdisjoint(names(tmp_path / "out"))
    assert len(names(tmp_path / "out")) == 23


def test_a_sample_and_a_single_file_are_not_mirrored(pixmill, album, out):
    (album / "p00.png").unlink()
    for words in ((album, out, "--sample", "3"), (album / "p03.png", out / "one.webp"), (album, out, "--dry-run")):
        ended = pixmill("run", *words, "--mirror")
        assert ended.returncode == 0, ended.stderr
        assert "--mirror" in ended.stderr
    assert (out / "p00.jpg").exists()


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


def test_in_buckets(s3, pixmill, album, tmp_path):
    folder = f"prune-{os.getpid()}"
    source, destination = f"s3://{s3}/{folder}/in", f"s3://{s3}/{folder}/out"
    run(pixmill, album, source, "--format", "keep", "--no-size")
    run(pixmill, source, destination)
    (album / "p00.png").unlink()
    shutil.rmtree(album / "trip" / "day 1")
    assert prune(pixmill, source, "--yes", "--max-delete", "5")["files"] == 5
    assert prune(pixmill, destination)["files"] == 5
    elsewhere = {"XDG_STATE_HOME": str(tmp_path / "another machine")}
    ended = pixmill("prune", destination, "--yes", "--max-delete", "50%", "--json", env=elsewhere)
    assert json.loads(ended.stdout)["files"] == 5, ended.stderr
    assert "done     7 images" in pixmill("status", destination).stdout
    assert pixmill("verify", destination).returncode == 0
    ended = pixmill("run", source, destination, "--json")
    assert json.loads(ended.stdout.splitlines()[-1])["counts"]["skipped"] == 7
