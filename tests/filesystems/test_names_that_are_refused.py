"""Names that a destination refuses are spelled as it accepts them, and no image changes its name (O27)."""

import pytest

from support.invariants import counts, finished, outputs, temporaries

ODD = ("x:.jpg", "x?.jpg", "x_.jpg", "a|b/c.jpg", "a_b/c.jpg", "end. /y.jpg", "CON.jpg", "plain.jpg")


@pytest.fixture
def odd_pictures(draw, tmp_path, untouched):
    """Return a folder of pictures whose names are refused elsewhere."""
    for number, name in enumerate(ODD):
        draw(tmp_path / "in" / name, 20 * number)
    untouched(tmp_path / "in")
    return tmp_path / "in"


@pytest.fixture
def refusing(mounts):
    """Return a folder on a file system that refuses such names."""
    return mounts.disk("exfat") / "out"


def test_every_image_gets_a_name_that_the_destination_accepts_and_keeps_it(refusing, pixmill, odd_pictures):
    told = pixmill("run", odd_pictures, refusing)
    assert told.code == 0, told.stderr
    assert told.stderr.count("refuses some names") == 1
    made = outputs(refusing)
    assert len(made) == len(finished(refusing)) == len(ODD)
    assert {"x_.jpg", "CON_.jpg", "plain.jpg"} < set(made)
    again = pixmill("run", odd_pictures, refusing)
    assert again.code == 0, again.stderr
    assert f"skipped   {len(ODD)} images" in again.stderr
    assert outputs(refusing) == made
    assert pixmill("verify", refusing).code == 0
    assert temporaries(refusing) == []


@pytest.mark.parametrize("words", [("--portable-names",), ()], ids=["spelled later", "spelled at first"])
def test_a_plan_shows_the_names_and_images_keep_those_that_they_have(pixmill, draw, odd_pictures, tmp_path, words):
    first = () if words else ("--portable-names",)
    assert ("x?.jpg -> x_" in pixmill("plan", odd_pictures, "out", *first).stdout) == bool(first)
    assert pixmill("run", odd_pictures, "out", "--executor", "inline", *first).code == 0
    before = outputs(tmp_path / "out")
    assert ("x?.jpg" in before) == bool(words)
    draw(odd_pictures / "new?.jpg")
    assert pixmill("run", odd_pictures, "out", "--executor", "inline", *words).code == 0
    assert counts(tmp_path / "out").done == len(ODD) + 1
    assert set(outputs(tmp_path / "out")) - set(before) == {"new_.jpg" if words else "new?.jpg"}
    assert set(before) <= set(outputs(tmp_path / "out"))
