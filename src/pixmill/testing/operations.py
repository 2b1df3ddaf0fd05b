"""The test suite that every operation must pass. Subclass ``OperationSuite``, define the fixture ``step``, and run pytest."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips

from pixmill.core.model import describe_field, fields
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import describe_invalid

Picture = Callable[[], Image]

_EXAMPLE = re.compile(r"^Example: ``--step ([^`]+)``$", re.MULTILINE)
_SCALE_8_TO_16_BITS = 257  # 255 becomes 65535
_FRAMES = 3


def example_of(operation: type[Operation]) -> str:
    """Return the example step in the docstring of ``operation``, in command-line form."""
    found = _EXAMPLE.search(re.sub(r"\n +", "\n", operation.__doc__ or ""))
    assert found, f"the docstring of {operation.__name__} has no line 'Example: ``--step NAME:key=value``'"
    return found[1]


def text_of(step: Operation) -> str:
    """Return ``step`` in the form of ``--step``, with all of its parameters; settings in a table have their own names there."""
    values = {key: value for key, value in step.to_builtins().items() if key != "operation" and value is not None}
    for table in [key for key, value in values.items() if isinstance(value, dict)]:
        values |= values.pop(table)
    return f"{step.label()}:" + ",".join(f"{key}={value}" for key, value in values.items())


def picture(width: int, height: int, *, bands: int = 3, deep: bool = False, seed: int = 1) -> Image:
    """Return an image with gradients, grain, all degrees of opacity and, if large enough, a plain border and a detailed spot."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    grain = np.random.default_rng(seed).normal(0, 0.02, (height, width))
    planes = [across, down, 1 - across * down, np.clip(1.4 - across - down / 2, 0, 1)]
    colour, alpha = (planes[:3] if bands > 2 else planes[:1]), planes[3:] if bands in (2, 4) else []
    values = np.stack([*(np.clip(plane * 0.8 + 0.1 + grain, 0, 1) for plane in colour), *alpha], axis=-1)
    if min(width, height) > 8:
        values[[0, 1, -1]] = values[:, [0, -1]] = values[0, 0]
        values[6:12, 8:14] = np.indices((6, 6)).sum(axis=0)[..., None] % 2
    eight_bit = np.floor(values * 255 + 0.5)
    return Image.from_numpy((eight_bit * _SCALE_8_TO_16_BITS).astype(np.uint16) if deep else eight_bit.astype(np.uint8))


def animation(*, bands: int = 4) -> Image:
    """Return an animation of three different frames."""
    frames = [picture(31, 19, bands=bands, seed=seed).to_numpy() for seed in range(_FRAMES)]
    return Image.from_numpy(np.vstack(frames)).evolve(frames=_FRAMES, delays=(40, 50, 60), loop=2)


PICTURES: dict[str, Picture] = {
    "gray": lambda: picture(48, 32, bands=1),
    "gray with alpha": lambda: picture(48, 32, bands=2),
    "colour": lambda: picture(48, 32),
    "colour with alpha": lambda: picture(48, 32, bands=4),
    "deep gray": lambda: picture(48, 32, bands=1, deep=True),
    "deep gray with alpha": lambda: picture(48, 32, bands=2, deep=True),
    "deep colour": lambda: picture(48, 32, deep=True),
    "deep colour with alpha": lambda: picture(48, 32, bands=4, deep=True),
    "one pixel": lambda: picture(1, 1, bands=4),
    "one column": lambda: picture(1, 37),
    "one row": lambda: picture(41, 1, bands=2),
    "odd sides": lambda: picture(37, 23, bands=4),
    "animation": animation,
    "gray animation": lambda: animation(bands=1),
}


class OperationSuite:
    """The contract of ``Operation`` as tests, for the step that the fixture ``step`` returns."""

    @pytest.fixture
    def step(self) -> Operation:
        """Return the step under test, with parameters that affect an image of 48 x 32 pixels."""
        raise NotImplementedError

    @pytest.fixture(params=PICTURES)
    def image(self, request: pytest.FixtureRequest) -> Image:
        """Return an image of each kind."""
        return PICTURES[request.param]()

    def test_the_result_is_a_sound_picture(self, step: Operation, image: Image) -> None:
        result = step.apply(image)
        assert result.to_numpy().size >= 1
        if not step.leaves_working_space:
            assert describe_invalid(result) == ""

    @pytest.mark.parametrize("kind", ["deep colour with alpha", "animation"])
    def test_the_same_picture_gives_the_same_pixels(self, step: Operation, kind: str) -> None:
        image = PICTURES[kind]()
        assert np.array_equal(step.apply(image).to_numpy(), step.apply(image).to_numpy())

    @pytest.mark.parametrize("kind", ["deep colour with alpha", "animation"])
    def test_the_source_is_left_as_it_was(self, step: Operation, kind: str) -> None:
        image = PICTURES[kind]()
        before = image.to_numpy().copy()
        step.apply(image).to_numpy()
        assert np.array_equal(image.to_numpy(), before)

    def test_the_predicted_size_is_the_one_that_comes_out(self, step: Operation, image: Image) -> None:
        predicted = step.size_after((image.width, image.height))
        result = step.apply(image)
        assert predicted in (None, (result.width, result.height))

    def test_a_step_that_leaves_the_size_to_others_cuts_nothing_off(self, step: Operation) -> None:
        if not step.sets_size:
            result = step.apply(picture(48, 32))
            assert result.width * result.height >= 48 * 32

    def test_depth_stays(self, step: Operation, image: Image) -> None:
        assert step.apply(image).max_value == image.max_value

    def test_transparency_comes_and_goes_only_as_declared(self, step: Operation, image: Image) -> None:
        result = step.apply(image)
        assert result.has_alpha == (not step.removes_alpha and (image.has_alpha or (step.adds_alpha and result.has_alpha)))

    def test_frames_and_their_times_stay(self, step: Operation, image: Image) -> None:
        result = step.apply(image)
        assert (result.frames, result.delays, result.loop) == (image.frames, image.delays, image.loop)

    @pytest.mark.parametrize("bands", [1, 4])
    def test_each_frame_is_done_as_a_picture_of_its_own(self, step: Operation, bands: int) -> None:
        still = picture(31, 19, bands=bands)
        column = Image.from_numpy(np.vstack([still.to_numpy()] * _FRAMES)).evolve(frames=_FRAMES)
        expected = np.vstack([step.apply(still).to_numpy()] * _FRAMES)
        assert np.array_equal(step.apply(column).to_numpy(), expected)

    @pytest.mark.parametrize("bands", [1, 3])
    def test_a_picture_that_is_opaque_comes_out_as_one_without_alpha(self, step: Operation, bands: int) -> None:
        plain = picture(48, 32, bands=bands)
        opaque = plain.evolve(pixels=plain.pixels.addalpha())
        without, result = _visible(step.apply(plain)), _visible(step.apply(opaque))
        assert np.abs(without - result).max() <= 1 + 1e-6

    @pytest.mark.parametrize("bands", [2, 4])
    @pytest.mark.parametrize("deep", [False, True])
    def test_an_invisible_colour_changes_nothing(self, step: Operation, bands: int, *, deep: bool) -> None:
        values = picture(48, 32, bands=bands, deep=deep).to_numpy().copy()
        values[:, 24:, -1] = 0
        one, other = values.copy(), values.copy()
        one[:, 24:, :-1], other[:, 24:, :-1] = 0, values.max()
        results = [_visible(step.apply(Image.from_numpy(array))) for array in (one, other)]
        assert np.abs(results[0] - results[1]).max() <= 1 + 1e-6

    @pytest.mark.parametrize("bands", [1, 2, 3, 4])
    def test_sixteen_bits_give_what_eight_give(self, step: Operation, bands: int) -> None:
        shallow = _visible(step.apply(picture(48, 32, bands=bands)))
        deep = _visible(step.apply(picture(48, 32, bands=bands, deep=True)))
        assert shallow.shape == deep.shape
        assert np.abs(shallow - deep).max() <= 3
        assert np.abs(shallow - deep).mean() <= 1

    @pytest.mark.parametrize("frames", [1, 3])
    def test_a_source_that_can_be_read_only_once_gives_the_same(self, step: Operation, frames: int, tmp_path: Path) -> None:
        # Tall, because libvips caches a few hundred rows and can go back within them.
        image = picture(20, 1500, bands=4).evolve(frames=frames)
        image.pixels.write_to_file(str(tmp_path / "once.png"))
        once = image.evolve(pixels=pyvips.Image.new_from_file(str(tmp_path / "once.png"), access="sequential"))
        assert np.array_equal(step.apply(once).to_numpy(), step.apply(image).to_numpy())

    def test_a_streaming_step_computes_nothing_before_its_pixels_are_read(self, step: Operation, tmp_path: Path) -> None:
        if step.streams:
            whole = pyvips.Image.gaussnoise(400, 400).cast("uchar").copy(interpretation="b-w").pngsave_buffer()
            (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
            cut = pyvips.Image.new_from_file(str(tmp_path / "cut.png"), access="sequential", fail_on="truncated")
            result = step.apply(Image(cut))
            with pytest.raises(pyvips.Error):
                result.to_numpy()

    def test_plain_data_is_read_back_as_the_same_step(self, step: Operation) -> None:
        again = Operation.from_builtins(json.loads(json.dumps(step.to_builtins())))
        assert again == step
        assert again.fingerprint() == step.fingerprint()

    def test_text_is_read_back_as_the_same_step(self, step: Operation) -> None:
        assert Operation.from_builtins(text_of(step)) == step
        assert Operation.from_builtins(step.text()) == step

    def test_it_can_be_checked_before_a_run(self, step: Operation) -> None:
        step.check()

    def test_it_is_documented(self, step: Operation) -> None:
        summary, _, details = (type(step).__doc__ or "").partition("\n")
        assert summary.endswith(".")
        assert details.strip()
        assert type(Operation.from_builtins(example_of(type(step)))) is type(step)
        assert [field.name for field in fields(type(step)) if not describe_field(field)] == []


def _visible(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return ``image`` with premultiplied alpha, 0 to 255, as floating-point RGBA."""
    values = image.to_numpy() / (image.max_value / 255)
    colour, alpha = (values[..., :-1], values[..., -1:]) if image.has_alpha else (values, np.full((*values.shape[:2], 1), 255.0))
    if colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, axis=-1)
    return np.concatenate([colour * (alpha / 255), alpha], axis=-1)
