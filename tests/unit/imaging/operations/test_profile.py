import numpy as np
import pytest
import pyvips

from pixmill.core.errors import RecipeError, TransformError
from pixmill.imaging.image import Image
from pixmill.imaging.operations.profile import Profile

COLOURS = np.array([[[200, 40, 40], [30, 160, 60], [240, 240, 240], [20, 20, 90]]], np.uint8)
PROFILE = "icc-profile-data"


@pytest.mark.parametrize("name", ["display-p3", "srgb"])
def test_the_colours_stay_and_their_numbers_do_not(name):
    converted = Profile(name=name).apply(Image.from_numpy(COLOURS))
    assert converted.pixels.get_typeof(PROFILE)
    assert (np.abs(converted.to_numpy().astype(int) - COLOURS).max() > 10) == (name == "display-p3")
    back = converted.pixels.icc_transform("srgb", embedded=True, intent="relative").numpy()
    assert np.abs(back.astype(int) - COLOURS).max() <= 2


@pytest.mark.parametrize(("kind", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_cmyk_has_four_inks_and_alpha_stays(kind, full):
    picture = np.array([[[full, full, full, full // 3], [0, 0, 0, full // 5]]], kind)
    inks = Profile(name="cmyk").apply(Image.from_numpy(picture)).to_numpy()
    assert inks.shape == (1, 2, 5)
    assert inks[0, 0, :4].max() <= 0.02 * full
    assert inks[0, 1, 3] > 0.9 * full
    assert inks[0, :, 4].tolist() == [full // 3, full // 5]


def test_gray_and_sixteen_bits_are_converted():
    gray = Profile(name="display-p3").apply(Image.from_numpy(np.full((1, 1), 30000, np.uint16)))
    assert gray.max_value == 65535
    assert np.abs(gray.to_numpy().astype(int) - 30000).max() < 300


def test_an_embedded_profile_says_where_the_colours_come_from():
    wide = Profile(name="display-p3").apply(Image.from_numpy(COLOURS))
    assert np.abs(Profile(name="srgb").apply(wide).to_numpy().astype(int) - COLOURS).max() <= 2


def test_a_profile_from_a_file_is_used_and_an_invalid_one_is_reported_before_the_run(tmp_path):
    wide = Profile(name="display-p3").apply(Image.from_numpy(COLOURS))
    (tmp_path / "wide.icc").write_bytes(wide.pixels.get(PROFILE))
    step = Profile(name=str(tmp_path / "wide.icc"))
    step.check()
    assert step.files == (str(tmp_path / "wide.icc"),)
    assert np.abs(step.apply(Image.from_numpy(COLOURS)).to_numpy().astype(int) - wide.to_numpy()).max() <= 1
    (tmp_path / "broken.icc").write_bytes(b"no profile")
    for name in ("broken.icc", "nowhere.icc"):
        with pytest.raises(RecipeError, match=name):
            Profile(name=str(tmp_path / name)).check()
    with pytest.raises(TransformError, match=r"profile.name: .*broken.icc cannot be used"):
        Profile(name=str(tmp_path / "broken.icc")).apply(Image.from_numpy(COLOURS))


def test_the_profiles_that_need_no_file_work():
    for name in ("srgb", "display-p3", "cmyk"):
        Profile(name=name).check()
        assert Profile(name=name).files == ()
    assert Profile.leaves_working_space
    assert isinstance(pyvips.Image.profile_load("p3"), bytes)
