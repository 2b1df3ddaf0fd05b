import numpy as np
import pytest

from pixmill.core.errors import RecipeError
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import DEFAULT_BOX, Recipe


def test_a_border_surrounds_the_image_and_leaves_it_as_it_was():
    image = Image.from_numpy(np.full((10, 20, 3), 100, np.uint8))
    step = Operation.from_builtins("border:width=3,color=red")
    pixels = step.apply(image).to_numpy()
    assert pixels.shape[:2] == (16, 26) == step.size_after((20, 10))[::-1]
    assert (pixels[3:-3, 3:-3] == 100).all()
    pixels[3:-3, 3:-3] = (255, 0, 0)
    assert (pixels == (255, 0, 0)).all()


def test_a_border_does_not_replace_the_default_size():
    assert Recipe(steps=[DEFAULT_BOX, "border:width=3"]).steps[0] is DEFAULT_BOX


def test_a_border_without_a_width_is_refused():
    with pytest.raises(RecipeError, match=r"border.width: expected a value, received none"):
        Operation.from_builtins("border")
