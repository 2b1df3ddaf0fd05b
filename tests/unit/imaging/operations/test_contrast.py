import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.operations.contrast import Contrast


@pytest.mark.parametrize(("kind", "full"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("factor", [0, 0.5, 1, 2])
def test_the_distance_from_the_middle_is_multiplied(kind, full, factor):
    values = np.array([0, full // 3, full // 2, full])
    spread = Contrast(factor=factor).apply(Image.from_numpy(values[None].astype(kind))).to_numpy()[0, :, 0]
    assert np.abs(spread - np.clip(full / 2 + (values - full / 2) * factor, 0, full)).max() <= 0.5


def test_alpha_stays():
    picture = np.full((1, 1, 4), [10, 20, 30, 40], np.uint8)
    assert Contrast(factor=0).apply(Image.from_numpy(picture)).to_numpy()[0, 0].tolist() == [128, 128, 128, 40]
