"""Pictures to run on, and the tree that an undisturbed run makes of them."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """Return a function that fills a folder with ``count`` JPEGs of some megapixels, all different."""

    def fill(count, side=900):
        folder = tmp_path / "in"
        chance = np.random.default_rng(7)
        for number in range(count):
            path = folder / f"{number % 3}" / f"photo {number:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = chance.integers(0, 255, (side // 30, side // 20, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((side * 3 // 2, side), Image.Resampling.BICUBIC).save(path, quality=90)
        return folder

    return fill
