"""``pixmill verify --repair`` makes outputs that were changed or are missing again, and nothing else."""

import shutil

from support.changed_outputs import EDIT, edit_in_place, picture
from support.invariants import identities, outputs


def test_repair_makes_again_what_differs_and_nothing_else(out, photos, pixmill):
    expected, before = outputs(out), identities(out)
    (out / "p0.jpg").unlink()
    (out / "p1.jpg").write_bytes(EDIT)
    edit_in_place(out / "p2.jpg")
    (photos / "new.jpg").write_bytes(picture())
    ended = pixmill("verify", "out", "--repair", "--progress", "none")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["p0.jpg: missing", "p1.jpg: size differs", "p2.jpg: content differs"]
    assert "making the outputs of 3 images again" in ended.stderr
    assert "done      3 images" in ended.stderr
    assert outputs(out) == expected
    assert identities(out)["p3.jpg"] == before["p3.jpg"]
    assert pixmill("verify", "out").returncode == 0


def test_repair_keeps_the_sound_outputs_of_an_image(run, tmp_path, pixmill):
    assert run("--sizes", "16,32").returncode == 0
    out = tmp_path / "out"
    expected, before = outputs(out), identities(out)
    edit_in_place(out / "p1-16.jpg")
    assert pixmill("verify", "out", "--repair").returncode == 0
    assert outputs(out) == expected
    assert identities(out)["p1-32.jpg"] == before["p1-32.jpg"]


def test_repair_makes_the_outputs_of_several_sources_again(out, photos, pixmill, tmp_path):
    shutil.copytree(photos, tmp_path / "others")
    assert pixmill("run", "others", "out", "--executor", "inline", "--size", "20x20").returncode == 0
    expected = outputs(out)
    assert len(expected) == 8
    for path in out.glob("*.jpg"):
        path.write_bytes(EDIT)
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 0, ended.stderr
    assert outputs(out) == expected


def test_repair_says_which_sources_are_gone(out, photos, pixmill):
    expected = outputs(out)
    for name in ("p0.jpg", "p1.jpg"):
        (out / name).write_bytes(EDIT)
    (photos / "p0.jpg").unlink()
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 1
    assert "1 image cannot be made again, because the source is gone: p0.jpg" in ended.stderr
    assert outputs(out) == expected | {"p0.jpg": EDIT}


def test_repair_with_nothing_to_do_or_no_source_says_so(out, photos, pixmill):
    before = identities(out)
    assert pixmill("verify", "out", "--repair").returncode == 0
    assert identities(out) == before
    (out / "p0.jpg").unlink()
    photos.rename(photos.with_name("gone"))
    ended = pixmill("verify", "out", "--repair")
    assert ended.returncode == 2
    assert "does not exist" in ended.stderr


def test_a_repair_is_not_the_configuration_of_later_runs(out, pixmill):
    (out / "p0.jpg").write_bytes(EDIT)
    assert pixmill("verify", "out", "--repair").returncode == 0
    (out / "p0.jpg").write_bytes(EDIT)
    assert pixmill("retry", "out").returncode == 0
    assert (out / "p0.jpg").read_bytes() == EDIT
