"""Quantities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.core.units import ByteSize, CountOrPercent, Duration, Pixels, Rate, SampleSize, Size, TimeLimit


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (Pixels, "100MP", 100_000_000),
        (Pixels, "1.5 mp", 1_500_000),
        (Pixels, 7, 7),
        (ByteSize, "2GB", 2_000_000_000),
        (ByteSize, "256MiB", 268_435_456),
        (ByteSize, "10k", 10_000),
        (Duration, "500ms", 0.5),
        (Duration, "5m", 300),
        (Duration, 2.5, 2.5),
        (Rate, "50/s", 50),
        (Rate, "600/m", 10),
    ],
)
def test_what_people_write_is_read(unit, text, value):
    assert unit.from_builtin(text) == pytest.approx(value)


@pytest.mark.parametrize("unit", [Pixels, ByteSize, Duration, Rate, Size])
@pytest.mark.parametrize("text", ["", "x", "-3", "3 parsecs", True, "1e5"])
def test_anything_else_is_refused_with_an_example(unit, text):
    with pytest.raises(ValueError, match="such as"):
        unit.from_builtin(text)


@given(st.sampled_from([Pixels, ByteSize]), st.integers(min_value=1, max_value=10**14))
def test_a_quantity_prints_as_something_that_parses_back_to_it(unit, amount):
    assert unit.from_builtin(unit(amount).to_builtin()) == unit(amount)


@given(st.sampled_from([Duration, Rate]), st.floats(min_value=0.001, max_value=1e6))
def test_a_fraction_prints_as_something_that_parses_back_to_it(unit, amount):
    assert unit.from_builtin(unit(amount).to_builtin()) == pytest.approx(amount)


@pytest.mark.parametrize(
    ("text", "sides"), [("1920x1080", (1920, 1080)), ("800x", (800, None)), ("x600", (None, 600)), ("256", (256, 256))]
)
def test_a_size_may_leave_a_side_open(text, sides):
    size = Size.from_builtin(text)
    assert (size.width, size.height) == sides
    assert Size.from_builtin(str(size)) == size


@pytest.mark.parametrize("text", ["0x10", "10x0", "x", "axb", "10x10x10"])
def test_a_size_without_a_side_is_refused(text):
    with pytest.raises(ValueError, match="a size such as 1920x1080"):
        Size.from_builtin(text)


@pytest.mark.parametrize("text", ["keep", "none", "original", "KEEP", " None ", False])
def test_a_size_may_be_left_as_it_is(text):
    size = Size.from_builtin(text)
    assert (size.is_box, size.percent, str(size)) == (False, None, "keep")
    assert Size.from_builtin(str(size)) == size


@pytest.mark.parametrize(("text", "percent"), [("50%", 50), ("12.5 %", 12.5), ("200%", 200), ("0.01%", 0.01)])
def test_a_size_may_be_a_part(text, percent):
    size = Size.from_builtin(text)
    assert (size.is_box, size.percent) == (False, percent)
    assert Size.from_builtin(str(size)) == size
    assert size != Size.from_builtin("keep")


@pytest.mark.parametrize("text", ["0%", "-5%", "%", "10001%", "50%x", "fifty%", "kept", "no"])
def test_a_part_that_leaves_nothing_is_refused(text):
    with pytest.raises(ValueError, match="or keep"):
        Size.from_builtin(text)


@pytest.mark.parametrize(("text", "of_a_thousand"), [("20", 20), (20, 20), ("0", 0), ("5%", 50), (" 0.5 % ", 5), ("100%", 1000)])
def test_a_number_or_a_percentage_is_read(text, of_a_thousand):
    amount = CountOrPercent.from_builtin(text)
    assert amount.of(1000) == of_a_thousand
    assert CountOrPercent.from_builtin(amount.to_builtin()) == amount


@pytest.mark.parametrize("text", ["-1", "101%", "5 percent", "0.5", 0.5, True, "", None])
def test_another_amount_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="such as 20"):
        CountOrPercent.from_builtin(text)


@pytest.mark.parametrize(("text", "of_a_thousand"), [("20", 20), ("2000", 1000), ("1%", 10), ("0.01%", 1)])
def test_a_sample_has_at_least_one_image_and_at_most_all(text, of_a_thousand):
    assert SampleSize.from_builtin(text).of(1000) == of_a_thousand


@pytest.mark.parametrize("text", ["0", "0%", "10001", "200%"])
def test_a_sample_of_none_or_too_many_is_refused(text):
    with pytest.raises(ValueError, match="from 1 to 10000"):
        SampleSize.from_builtin(text)


@pytest.mark.parametrize("kind", [Pixels, ByteSize, Rate, TimeLimit])
@pytest.mark.parametrize("text", ["0", 0, "0.0"])
def test_a_limit_of_nothing_is_refused(kind, text):
    with pytest.raises(ValueError, match="and more than 0"):
        kind.from_builtin(text)


def test_a_pause_may_be_none():
    assert Duration.from_builtin("0s") == 0
