import numpy as np
import pytest
import pyvips

from pixmill.core.errors import DecodeError, RecipeError, TransformError
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.python import Python

STEPS = """
import numpy as np
from pixmill.core.errors import DecodeError
from pixmill.imaging.image import Image

def invert(image):
    return Image.from_numpy(255 - image.to_numpy())

def with_pillow(image):
    return Image.from_pil(image.to_pil().rotate(90, expand=True))

def lazy(image):
    return image.map_colour(lambda colour: colour.fliphor())

def raises(image):
    deeper(image)

def deeper(image):
    raise ValueError("no such luck\\nand more")

def refuses(image):
    raise DecodeError("not this one")

def returns_nothing(image):
    return None

def halves(image):
    return image.evolve(pixels=image.pixels / 2 + 253.5)

def returns_lab(image):
    return image.evolve(pixels=image.pixels.colourspace("lab"))

def crops_by_content(image):
    return image.map(lambda pixels: pixels.crop(0, 0, 1, 1 + int(pixels(0, 0)[0])))

not_a_function = 3
"""
PICTURE = Image.from_numpy(np.array([[1, 2], [3, 4]], np.uint8))


@pytest.fixture
def step(tmp_path):
    (tmp_path / "steps.py").write_text(STEPS)
    return lambda name: Python(function=f"{tmp_path / 'steps.py'}:{name}")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("invert", [[254, 253], [252, 251]]),
        ("with_pillow", [[2, 4], [1, 3]]),
        ("lazy", [[2, 1], [4, 3]]),
        ("halves", [[254, 254], [255, 255]]),
    ],
)
def test_a_function_of_a_file_makes_the_picture(step, name, expected):
    step(name).check()
    assert step(name).apply(PICTURE).to_numpy()[..., 0].tolist() == expected


def test_what_it_raises_fails_the_image_and_names_the_line(step):
    with pytest.raises(TransformError, match=r"steps.py:raises raised ValueError: no such luck") as caught:
        step("raises").apply(PICTURE)
    assert "(steps.py, line 19, in deeper)" in caught.value.message
    assert "operations/python.py" not in str(caught.value.__cause__.__traceback__.tb_frame.f_code.co_filename)


def test_an_error_of_pixmill_passes_as_it_is(step):
    with pytest.raises(DecodeError, match="not this one"):
        step("refuses").apply(PICTURE)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("returns_nothing", "returned NoneType, expected pixmill.Image"), ("returns_lab", "returned 3 bands of float as lab")],
)
def test_what_is_no_picture_is_refused(step, name, sentence):
    with pytest.raises(TransformError, match=sentence):
        step(name).apply(PICTURE)


def test_a_damaged_source_is_not_blamed_on_the_function(step, tmp_path):
    whole = pyvips.Image.gaussnoise(200, 200).cast("uchar").jpegsave_buffer()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    source = pyvips.Image.new_from_file(str(tmp_path / "cut.jpg"), fail_on="warning")
    with pytest.raises(pyvips.Error):
        step("invert").apply(Image(source))


def test_each_frame_of_an_animation_is_a_picture_of_its_own(step):
    animation = PICTURE.evolve(frames=2, delays=(40, 60))
    inverted = step("invert").apply(animation)
    assert (inverted.frames, inverted.delays) == (2, (40, 60))
    assert inverted.to_numpy()[..., 0].tolist() == [[254, 253], [252, 251]]


def test_frames_that_come_back_in_different_sizes_are_refused(step):
    animation = Image.from_numpy(np.vstack([np.full((4, 4), 1, np.uint8), np.full((4, 4), 2, np.uint8)])).evolve(frames=2)
    with pytest.raises(TransformError, match="frames that differ"):
        step("crops_by_content").apply(animation)


def test_the_settings_that_classes_have_changed_no_fingerprint_of_a_function():
    assert Python(function="steps.py:f").fingerprint() == "e4cbb40853d2b63f88bdd0da8affc5e5"  # as before there were any
    assert Python(function="steps.py:f", settings={"amount": 1}).fingerprint() != "e4cbb40853d2b63f88bdd0da8affc5e5"


def top_level(image):
    return image


def test_a_function_becomes_a_step_by_its_name():
    assert Python.of(top_level).function.endswith(":top_level")
    with pytest.raises(RecipeError, match="expected a function at the top level"):
        Python.of(lambda image: image)


@pytest.mark.parametrize("address", ["steps.py", "steps.py:", ":name", "steps.py:a b"])
def test_what_is_no_address_of_a_function_is_refused(address):
    with pytest.raises(RecipeError, match=r"expected path/to/file\.py:name"):
        Python(function=address)


def test_a_missing_function_is_reported_before_the_run(step, tmp_path):
    with pytest.raises(RecipeError, match="has no function called missing"):
        step("missing").check()
    with pytest.raises(RecipeError, match="has no function called not_a_function"):
        step("not_a_function").check()
    with pytest.raises(RecipeError, match=r"file not found: nowhere\.py"):
        Python(function="nowhere.py:f").check()
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(RecipeError, match=r"cannot be imported: ZeroDivisionError: division by zero \(broken.py, line 1"):
        Python(function=f"{tmp_path / 'broken.py'}:f").check()


def test_text_names_the_file_and_the_function():
    step = Operation.from_builtins("python:function=some/steps.py:invert")
    assert step == Python(function="some/steps.py:invert")
    assert step.files == ("some/steps.py",)
    assert Python(function="package.module:name").files == ()


def test_a_function_among_steps_becomes_one_wherever_steps_are_read():
    assert Operation.from_builtins(top_level) == Python.of(top_level)


def test_a_function_that_is_gone_is_no_fault_of_the_picture(step, tmp_path):
    gone = step("missing")
    with pytest.raises(RecipeError, match="has no function called missing"):
        gone.apply(Image.from_numpy(np.zeros((4, 4), np.uint8)))
    (tmp_path / "needs.py").write_text("import no_such_module\n")
    with pytest.raises(RecipeError, match="cannot be imported: ModuleNotFoundError"):
        Python(function=f"{tmp_path / 'needs.py'}:f").apply(Image.from_numpy(np.zeros((4, 4), np.uint8)))
