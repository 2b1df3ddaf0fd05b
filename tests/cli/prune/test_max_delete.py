"""How many files ``pixmill prune`` removes without being told: ``--max-delete``."""

import shutil

import pytest

from support.pruning import draw, names, prune, run


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
