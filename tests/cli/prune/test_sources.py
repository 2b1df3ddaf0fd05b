"""``pixmill prune`` with several sources, and with sources that moved, lead elsewhere, or were never run."""

import shutil

from support.invariants import outputs
from support.pruning import draw, prune, run


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
