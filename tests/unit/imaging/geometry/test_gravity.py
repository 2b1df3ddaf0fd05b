import json

import pytest

from pixmill.imaging.geometry.gravity import POSITIONS, Gravity


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("centre", "centre"),
        ("center", "centre"),
        ("NorthEast", "north-east"),
        ("north_east", "north-east"),
        ("top-left", "north-west"),
        ("Bottom", "south"),
    ],
)
def test_a_place_is_read_by_its_usual_names(text, name):
    assert Gravity.from_builtin(text) == name
    assert json.dumps(Gravity.from_builtin(text).to_builtin()) == json.dumps(name)


@pytest.mark.parametrize("text", ["", "up", "east-north-north", 5, "attention"])
def test_what_is_no_place_is_refused_with_the_places_there_are(text):
    with pytest.raises(ValueError, match="one of north-west, north"):
        Gravity.from_builtin(text)


def test_the_nine_places_are_the_corners_the_edges_and_the_middle():
    offsets = {name: Gravity(name).offset((10, 7), (4, 4)) for name in POSITIONS}
    assert offsets["north-west"] == (0, 0)
    assert offsets["south-east"] == (6, 3)
    assert offsets["centre"] == (3, 1)
    assert len(set(offsets.values())) == 9
