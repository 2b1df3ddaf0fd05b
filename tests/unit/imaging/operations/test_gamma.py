import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.operations.gamma import Gamma


@pytest.mark.parametrize(("kind", "full"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("gamma", [0.5, 1, 2.2])
def test_a_value_becomes_itself_to_the_power_of_one_by_gamma(kind, full, gamma):
    values = np.array([0, full // 4, full // 2, full])
    curved = Gamma(gamma=gamma).apply(Image.from_numpy(values[None].astype(kind))).to_numpy()[0, :, 0]
    assert np.abs(curved - full * (values / full) ** (1 / gamma)).max() <= 1


def test_alpha_stays():
    picture = np.full((1, 1, 4), [10, 20, 30, 40], np.uint8)
    assert Gamma(gamma=2).apply(Image.from_numpy(picture)).to_numpy()[0, 0, 3] == 40
