import pytest

from pixmill.imaging.geometry.sizes import (
    Rectangle,
    cropped_size,
    largest_of_aspect,
    overlap,
    rounded,
    scaled,
    smallest_of_aspect,
    target,
)


@pytest.mark.parametrize(("length", "side"), [(0.0, 1), (0.4, 1), (1.49, 1), (1.5, 2), (2.5, 3), (99.5, 100)])
def test_a_side_is_the_nearest_pixel_and_never_none(length, side):
    assert rounded(length) == side


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((4000, 3000), (800, 600), (800, 600)),
        ((4000, 3000), (800, 800), (800, 600)),
        ((3000, 4000), (800, 800), (600, 800)),
        ((4000, 3000), (800, None), (800, 600)),
        ((4000, 3000), (None, 600), (800, 600)),
        ((4000, 3000), (None, None), (4000, 3000)),
        ((100, 50), (800, 600), (100, 50)),
        ((1, 65500), (256, 256), (1, 256)),
        ((65500, 1), (256, 256), (256, 1)),
        ((940, 2), (100, 100), (100, 1)),
        ((2725, 2225), (320, 320), (320, 261)),
    ],
)
def test_inside_keeps_the_proportions_and_does_not_enlarge(size, box, expected):
    assert target(size, *box) == expected


def test_inside_enlarges_when_asked():
    assert target((100, 50), 800, 600, enlarge=True) == (800, 400)


@pytest.mark.parametrize(
    ("size", "box", "scaled_to", "left"),
    [
        ((4000, 3000), (800, 800), (1067, 800), (800, 800)),
        ((3000, 4000), (800, 800), (800, 1067), (800, 800)),
        ((1000, 500), (800, 800), (1000, 500), (800, 500)),
        ((400, 300), (800, 800), (400, 300), (400, 300)),
        ((4000, 3000), (800, None), (800, 600), (800, 600)),
    ],
)
def test_cover_fills_the_box_as_far_as_the_picture_goes(size, box, scaled_to, left):
    assert target(size, *box, fit="cover") == scaled_to
    assert cropped_size(scaled_to, *box) == left


def test_fill_distorts_and_does_not_enlarge_either_side():
    assert target((400, 300), 200, 100, fit="fill") == (200, 100)
    assert target((400, 300), 200, None, fit="fill") == (200, 300)
    assert target((400, 300), 800, 100, fit="fill") == (400, 100)
    assert target((400, 300), 800, 100, fit="fill", enlarge=True) == (800, 100)


def test_a_scale_applies_to_both_sides():
    assert scaled((400, 301), 0.5) == (200, 151)
    assert scaled((1, 3), 0.1) == (1, 1)


def test_proportions_are_reached_by_cutting_or_by_adding():
    assert largest_of_aspect((1600, 1600), 16 / 9) == (1600, 900)
    assert largest_of_aspect((3200, 900), 16 / 9) == (1600, 900)
    assert smallest_of_aspect((1600, 1200), 1.0) == (1600, 1600)
    assert smallest_of_aspect((900, 1600), 16 / 9) == (2844, 1600)


def test_an_overlap_is_what_two_rectangles_share():
    assert overlap((10, 8), Rectangle(5, 5, 10, 10)) == Rectangle(5, 5, 5, 3)
    assert overlap((10, 8), Rectangle(-5, -5, 10, 10)) == Rectangle(0, 0, 5, 5)
    assert overlap((10, 8), Rectangle(10, 0, 1, 1)) is None
