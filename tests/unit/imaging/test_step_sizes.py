"""Which steps will fail on images of given sizes, and which enlarge them, without decoding an image."""

import pytest

from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.imaging.step_sizes import depends_on_size, size_warnings

SMALL, LARGE = (300, 200), (4000, 3000)


@pytest.mark.parametrize(
    ("steps", "messages"),
    [
        (["crop:left=2000,top=100"], ["step 1 (crop) will fail on 2 of the 3 images examined: the rectangle at 2000,100 is"]),
        (["resize:width=500,enlarge=true"], ["step 1 (resize) enlarges 2 of the 3 images examined"]),
        (["resize:percent=150"], ["step 1 (resize) enlarges 3 of the 3 images examined"]),
        (["resize:width=50,height=500,enlarge=true,fit=contain"], []),
        (["resize:width=50,height=500,enlarge=true,fit=cover"], ["step 1 (resize) enlarges 2 of"]),
        (["rotate:angle=90", "crop:top=250"], []),
        (["rotate:angle=90", "crop:left=250"], ["step 2 (crop) will fail on 2 of"]),
        (["pad:border=1000", "crop:left=2000"], []),
        (["resize:width=100", "crop:left=200"], ["step 2 (crop) will fail on 3 of"]),
        (["trim", "crop:left=9000"], []),
        (["rotate:angle=33", "crop:left=9000"], []),
        (["crop:left=2000", "resize:percent=200"], ["step 1 (crop) will fail on 2 of", "step 2 (resize) enlarges 1 of"]),
        (["crop:width=9000,height=9000,gravity=attention", "sharpen"], []),
    ],
)  # fmt: skip
def test_a_step_that_fails_or_enlarges_is_named_with_the_number_of_images(steps, messages):
    found = size_warnings(Recipe(steps=steps), [SMALL, LARGE, SMALL])
    assert len(found) == len(messages)
    assert [sentence[: len(start)] for sentence, start in zip(found, messages, strict=True)] == messages


def test_steps_of_renditions_are_checked_after_the_shared_ones():
    recipe = Recipe(
        steps=["resize:width=1000"],
        renditions=[Rendition(name="a", steps=["crop:left=500"]), Rendition(name="b", steps=["resize:percent=300"])],
    )
    assert [sentence.partition(":")[0] for sentence in size_warnings(recipe, [SMALL, LARGE])] == [
        "step 2 (crop) of a will fail on 1 of the 2 images examined",
        "step 2 (resize) of b enlarges 2 of the 2 images examined",
    ]


def test_one_image_is_not_several():
    assert size_warnings(Recipe(steps=["resize:percent=300"]), [SMALL]) == ["step 1 (resize) enlarges 1 of the one image examined"]


@pytest.mark.parametrize(
    ("step", "does"),
    [
        ("crop:width=9", False), ("crop:left=0,width=9", False), ("crop:left=1", True), ("resize:width=9", False),
        ("resize:percent=100", False), ("resize:percent=101", True), ("resize:width=9,enlarge=true", True), ("trim", False),
    ],
)  # fmt: skip
def test_headers_are_looked_at_only_for_steps_that_depend_on_them(step, does):
    assert depends_on_size(Recipe(steps=[step])) == does
    assert depends_on_size(Recipe(renditions=[Rendition(steps=[step])])) == does
