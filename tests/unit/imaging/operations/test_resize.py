import numpy as np
import pytest

from pixmill.core.errors import RecipeError
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.smart_crop import CropGravity
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize


def plain(width, height, *, colour=(90, 120, 30), kind=np.uint8):
    return Image.from_numpy(np.full((height, width, len(colour)), colour, kind))


def spotted(width, height, left, top):
    """A plain picture with a bright, detailed spot of 20 x 20 pixels."""
    values = np.full((height, width, 3), 40, np.uint8)
    values[top : top + 20, left : left + 20] = np.random.default_rng(1).integers(0, 255, (20, 20, 3))
    values[top : top + 20, left : left + 20, 0] = 250
    return Image.from_numpy(values)


@pytest.mark.parametrize(
    ("step", "size"),
    [
        ("resize:width=80,height=60", (80, 40)),
        ("resize:width=80", (80, 40)),
        ("resize:height=20", (40, 20)),
        ("resize:percent=50", (100, 50)),
        ("resize:width=60,height=60,fit=outside", (120, 60)),
        ("resize:width=150,height=60,fit=outside", (150, 75)),
        ("resize:width=150,height=150,fit=outside", (200, 100)),
        ("resize:width=150,height=150,fit=outside,enlarge=true", (300, 150)),
        ("resize:area=5kP", (100, 50)),
        ("resize:area=1MP", (200, 100)),
        ("resize:area=80000,enlarge=true", (400, 200)),
        ("resize:percent=150", (300, 150)),
        ("resize:width=60,height=60,fit=cover", (60, 60)),
        ("resize:width=60,height=60,fit=contain", (60, 60)),
        ("resize:width=60,height=60,fit=fill", (60, 60)),
        ("resize:width=60,fit=fill", (60, 100)),
        ("resize:width=1000,height=1000", (200, 100)),
        ("resize:width=1000,height=1000,enlarge=true", (1000, 500)),
        ("resize:width=150,height=150,fit=cover", (150, 100)),
        ("resize:width=150,height=150,fit=cover,enlarge=true", (150, 150)),
        ("resize:width=300,height=300,fit=contain", (300, 300)),
        ("resize:width=1,height=1", (1, 1)),
    ],
)
def test_a_picture_of_200_x_100_comes_out_as_asked(step, size):
    resized = Operation.from_builtins(step).apply(plain(200, 100))
    assert (resized.width, resized.height) == size


@pytest.mark.parametrize(("width", "height", "size"), [(1, 6550, (1, 256)), (6550, 1, (256, 1)), (940, 2, (256, 1))])
def test_no_side_falls_below_one_pixel(width, height, size):
    resized = Resize(width=256, height=256).apply(plain(width, height))
    assert resized.to_numpy().shape == (size[1], size[0], 3)


def test_a_plain_picture_stays_plain_to_its_edges():
    for step in ("resize:width=37", "resize:width=37,kernel=mitchell", "resize:percent=170", "resize:width=50,linear=true"):
        values = Operation.from_builtins(step).apply(plain(200, 100)).to_numpy()
        assert np.abs(values.astype(int) - [90, 120, 30]).max() <= 1


def test_contain_adds_room_where_the_gravity_leaves_it():
    resized = Resize(width=60, height=60, fit="contain", gravity=CropGravity("south"), background=Colour(255, 0, 0))
    values = resized.apply(plain(200, 100)).to_numpy()
    assert (values[:30] == [255, 0, 0]).all()
    assert np.abs(values[30:].astype(int) - [90, 120, 30]).max() <= 1


def test_padding_is_transparent_by_default():
    values = Resize(width=60, height=60, fit="contain").apply(plain(200, 100)).to_numpy()
    assert values[0, 0].tolist() == [0, 0, 0, 0]
    assert values[30, 30].tolist() == [90, 120, 30, 255]


@pytest.mark.parametrize("place", ["west", "east"])
def test_cover_keeps_the_part_at_its_gravity(place):
    values = np.zeros((100, 300), np.uint8)
    values[:, 200:] = 200
    resized = Resize(width=50, height=50, fit="cover", gravity=CropGravity(place)).apply(Image.from_numpy(values)).to_numpy()
    assert abs(resized.mean() - (200 if place == "east" else 0)) < 5


@pytest.mark.parametrize("focus", ["attention", "entropy"])
@pytest.mark.parametrize(("left", "top"), [(10, 40), (250, 40)])
def test_cover_finds_what_the_eye_would_look_at(focus, left, top):
    resized = Resize(width=50, height=50, fit="cover", gravity=CropGravity(focus)).apply(spotted(300, 100, left, top)).to_numpy()
    assert resized.shape == (50, 50, 3)
    assert (resized[..., 0] > 200).sum() > 60


def test_an_animation_is_cut_at_one_place():
    frames = [spotted(300, 100, left, 40).to_numpy() for left in (10, 250)]
    animation = Image.from_numpy(np.vstack(frames)).evolve(frames=2)
    resized = Resize(width=50, height=50, fit="cover", gravity=CropGravity("attention")).apply(animation)
    assert (resized.frame(0).numpy()[..., 0] > 200).sum() > 60
    assert (resized.frame(1).numpy()[..., 0] > 200).sum() == 0


def test_invisible_colours_do_not_bleed_into_their_neighbours():
    values = np.full((100, 200, 4), [0, 255, 0, 0], np.uint8)
    values[:, 100:] = [200, 0, 0, 255]
    resized = Resize(width=33).apply(Image.from_numpy(values)).to_numpy()
    assert resized[resized[..., 3] > 8][:, 1].max() == 0


def test_linear_light_mixes_as_a_lens_does():
    stripes = np.zeros((100, 100), np.uint8)
    stripes[:, ::2] = 255
    values = {light: Resize(width=10, linear=light).apply(Image.from_numpy(stripes)).to_numpy().mean() for light in (False, True)}
    assert abs(values[False] - 127.5) < 3
    assert abs(values[True] - 188) < 3  # half the light is 188 in sRGB


def test_nearest_keeps_the_colours_of_pixel_art():
    values = np.random.default_rng(1).choice([0, 255], (20, 20)).astype(np.uint8)
    resized = Resize(percent=300, kernel="nearest").apply(Image.from_numpy(values)).to_numpy()
    assert set(resized.ravel().tolist()) == {0, 255}


def test_a_resize_with_neither_or_both_targets_is_refused():
    with pytest.raises(RecipeError, match="expected a width or height, or a percent, or an area, received none of them"):
        Resize()
    with pytest.raises(RecipeError, match="received more than one of them"):
        Resize(width=5, percent=5)
    with pytest.raises(RecipeError, match=r"resize.width: expected an integer of at least 1, received 0"):
        Resize(width=0)
    with pytest.raises(RecipeError, match=r"resize.gravity: expected one of .*, attention, entropy, received up"):
        Operation.from_builtins("resize:width=5,gravity=up")


def test_its_facts_depend_on_what_is_asked():
    assert Resize(percent=200).enlarges
    assert Resize(width=5, enlarge=True).enlarges
    assert not Resize(width=5).enlarges
    assert Resize(width=5, fit="contain").adds_alpha
    assert not Resize(width=5).adds_alpha
    assert Resize(width=5, gravity=CropGravity("attention")).streams
    assert not Resize(width=5, height=5, fit="cover", gravity=CropGravity("attention")).streams
