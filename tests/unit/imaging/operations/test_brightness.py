import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.operations.brightness import Brightness


@pytest.mark.parametrize(("kind", "full"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("factor", [0, 0.333, 1, 1.5, 100])
def test_every_value_is_multiplied_rounded_and_kept_in_range(kind, full, factor):
    values = np.array([0, 1, full // 3, full])
    brighter = Brightness(factor=factor).apply(Image.from_numpy(values[None].astype(kind))).to_numpy()[0, :, 0]
    assert brighter.tolist() == np.clip(np.floor(values * factor + 0.5), 0, full).tolist()


def test_alpha_stays():
    picture = np.full((1, 1, 2), [10, 40], np.uint16)
    assert Brightness(factor=3).apply(Image.from_numpy(picture)).to_numpy()[0, 0].tolist() == [30, 40]
