import pytest

from pixmill.imaging.operation import Operation
from pixmill.imaging.step_order import POOR_ORDERS, order_warnings


def warnings(*steps):
    return order_warnings([Operation.from_builtins(step) for step in steps])


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("sharpen", "resize:width=100", "step 1 (sharpen) is measured in pixels, and step 2 (resize) then rescales the image"),
        ("watermark:image=logo.png", "resize:percent=50", "put step 1 (watermark) after step 2 (resize)"),
        ("blur", "resize:width=100", "measured in pixels"),
        ("pad:border=5", "resize:width=100", "measured in pixels"),
        ("resize:width=100", "resize:width=500,enlarge=true", "may enlarge an image that step 1 (resize) has reduced"),
        ("resize:width=100", "resize:percent=200", "may enlarge"),
        ("flatten", "trim", "removes the transparency that step 2 (trim) uses"),
        ("flatten", "rotate:angle=10", "adds it again"),
        ("flatten", "pad:border=3", "adds it again"),
        ("profile:name=cmyk", "grayscale", "leaves the colour space that step 2 (grayscale) requires"),
    ],
)
def test_a_poor_order_causes_a_warning(first, second, words):
    assert any(words in sentence for sentence in warnings(first, second))
    assert not warnings(second, first)


@pytest.mark.parametrize(
    "steps",
    [
        (),
        ("resize:width=100",),
        ("crop:width=900,height=900", "resize:width=100", "sharpen", "watermark:image=logo.png", "flatten", "profile:name=cmyk"),
        ("trim", "resize:width=100,enlarge=true", "pad:aspect=1:1", "flatten"),
        ("flatten", "rotate:angle=90"),
        ("flatten", "rotate:angle=10,background=white"),
        ("resize:width=800", "resize:width=100"),
    ],
)
def test_a_good_order_causes_no_warning(steps):
    assert warnings(*steps) == []


def test_steps_need_not_stand_side_by_side():
    assert len(warnings("sharpen", "grayscale", "resize:width=5")) == 1


def test_no_sentence_names_an_operation_by_itself():
    for _, sentence in POOR_ORDERS:
        assert not any(name in sentence for name in Operation.registry.names())
