"""Changed outputs where there is something new to write: only ``--existing replace`` replaces them."""

import pytest
from PIL import Image

from support.changed_outputs import CHANGED_FILES, EDIT, picture, report
from support.invariants import failed, identities, outputs


@pytest.mark.parametrize("change", CHANGED_FILES.values(), ids=CHANGED_FILES)
def test_something_new_to_write_does_not_replace_what_was_changed(out, run, change):
    change(out / "p1.jpg")
    before = identities(out)["p1.jpg"]
    ended = run("--quality", "30", "--json")
    assert (ended.returncode, report(ended)["counts"]["failed"], report(ended)["counts"]["done"]) == (1, 1, 3)
    assert failed(out)["p1.jpg"].failure.code == "exists"
    assert "changed since pixmill wrote it" in failed(out)["p1.jpg"].failure.message
    assert identities(out)["p1.jpg"] == before
    ended = run("--quality", "30", "--existing", "replace")
    assert ended.returncode == 0, ended.stderr
    with Image.open(out / "p1.jpg") as image:
        image.load()


def test_a_changed_source_does_not_replace_a_changed_output(out, run, photos):
    (out / "p1.jpg").write_bytes(EDIT)
    (photos / "p1.jpg").write_bytes(picture())
    assert run().returncode == 1
    assert (out / "p1.jpg").read_bytes() == EDIT


def test_force_does_not_replace_what_was_changed(out, run):
    (out / "p1.jpg").write_bytes(EDIT)
    assert run("--force").returncode == 1
    assert (out / "p1.jpg").read_bytes() == EDIT


def test_existing_replace_makes_changed_outputs_again_and_only_those(out, run):
    expected, before = outputs(out), identities(out)
    (out / "p1.jpg").write_bytes(EDIT)
    ended = run("--existing", "replace", "--json")
    assert (ended.returncode, report(ended)["counts"]["done"]) == (0, 1)
    assert outputs(out) == expected
    assert {name for name, found in identities(out).items() if found != before[name]} == {"p1.jpg"}


def test_one_occupied_name_writes_none_of_an_image_s_outputs(out, run):
    (out / "p1.jpg").write_bytes(EDIT)
    assert run("--sizes", "16,32").returncode == 0
    (out / "p2-16.webp").write_bytes(EDIT)
    before = outputs(out)
    ended = run("--sizes", "16,32", "--formats", "jpeg,webp", "--json")
    assert report(ended)["counts"]["failed"] == 1
    assert {name for name in outputs(out).keys() - before.keys() if name.startswith("p2")} == set()
