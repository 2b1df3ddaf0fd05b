"""``pixmill prune`` removes the sizes and formats that the last run no longer asked for."""

from support.pruning import names, prune, run


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
