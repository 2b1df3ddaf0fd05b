"""An album of twelve pictures, and the outputs of a run of it."""

import pytest

from support.pruning import draw, run


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
