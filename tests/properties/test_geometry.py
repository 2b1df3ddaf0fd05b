from hypothesis import given
from hypothesis import strategies as st

from pixmill.imaging.geometry.sizes import Rectangle, cropped_size, largest_of_aspect, overlap, smallest_of_aspect, target

SIDES = st.integers(1, 65_500)
SIZES = st.tuples(SIDES, SIDES)
BOXES = st.tuples(st.none() | SIDES, st.none() | SIDES)
FITS = st.sampled_from(["inside", "cover", "contain", "fill"])
ASPECTS = st.floats(0.01, 100)


@given(SIZES, BOXES, FITS, st.booleans())
def test_every_side_is_a_whole_number_of_at_least_one(size, box, fit, enlarge):
    for side in target(size, *box, fit=fit, enlarge=enlarge):
        assert isinstance(side, int)
        assert side >= 1


@given(SIZES, BOXES, FITS)
def test_nothing_grows_unless_asked(size, box, fit):
    width, height = target(size, *box, fit=fit)
    assert width <= size[0]
    assert height <= size[1]


@given(SIZES, BOXES, st.sampled_from(["inside", "contain"]), st.booleans())
def test_inside_stays_inside(size, box, fit, enlarge):
    for side, limit in zip(target(size, *box, fit=fit, enlarge=enlarge), box, strict=True):
        assert limit is None or side <= limit


@given(SIZES, SIZES, st.sampled_from(["inside", "contain"]))
def test_inside_touches_the_box_when_it_may_grow(size, box, fit):
    width, height = target(size, *box, fit=fit, enlarge=True)
    assert width == box[0] or height == box[1]


@given(SIZES, SIZES)
def test_cover_fills_the_whole_box_when_it_may_grow(size, box):
    assert cropped_size(target(size, *box, fit="cover", enlarge=True), *box) == box


@given(SIZES, BOXES, st.sampled_from(["inside", "cover", "contain"]), st.booleans())
def test_proportions_hold_to_half_a_pixel(size, box, fit, enlarge):
    sides = target(size, *box, fit=fit, enlarge=enlarge)
    smallest = [(side - 0.5) / length if side > 1 else 0 for side, length in zip(sides, size, strict=True)]
    largest = [(side + 0.5) / length for side, length in zip(sides, size, strict=True)]
    assert max(smallest) <= min(largest) * (1 + 1e-12)  # one scale explains both sides


@given(SIZES, BOXES, FITS, st.booleans())
def test_meeting_a_box_twice_changes_nothing_more(size, box, fit, enlarge):
    once = target(size, *box, fit=fit, enlarge=enlarge)
    if fit != "cover":
        assert target(once, *box, fit=fit, enlarge=enlarge) == once


@given(SIZES, ASPECTS)
def test_proportions_cut_stay_within_and_proportions_added_go_around(size, aspect):
    for cut, side in zip(largest_of_aspect(size, aspect), size, strict=True):
        assert 1 <= cut <= side
    for grown, side in zip(smallest_of_aspect(size, aspect), size, strict=True):
        assert grown >= side


@given(SIZES, st.integers(-70_000, 70_000), st.integers(-70_000, 70_000), SIZES)
def test_an_overlap_lies_within_the_picture(size, left, top, wanted):
    part = overlap(size, Rectangle(left, top, *wanted))
    if part is not None:
        assert 0 <= part.left < part.left + part.width <= size[0]
        assert 0 <= part.top < part.top + part.height <= size[1]
