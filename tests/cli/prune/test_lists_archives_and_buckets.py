"""``pixmill prune`` where images are rows of a list, members of an archive or objects, and outputs samples or objects."""

import json
import os
import shutil
import tarfile

from support.pruning import names, prune, run


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
