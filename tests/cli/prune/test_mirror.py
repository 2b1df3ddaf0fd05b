"""``run --mirror``: a run that prunes its own sources when it has finished."""

import shutil

import pytest

from support.pruning import draw, names, prune, run


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
