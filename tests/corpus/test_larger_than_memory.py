"""Pictures that are larger than the memory they may use: streamed, or refused with numbers, never swapped or killed."""

import sys

import pytest
import pyvips
from PIL import Image

from pixmill.batch.inspect import status
from support.processes import peaks_of

MEGABYTE = 1_000_000


def gradient(side):
    """A picture of ``side`` x ``side`` pixels that takes no memory to make."""
    across = pyvips.Image.xyz(side, side)
    ramp = (across[0] * 255 / side).cast("uchar")
    return ramp.bandjoin([(across[1] * 255 / side).cast("uchar"), ramp.invert()]).copy(interpretation="srgb")


def peak_of(command):
    """Run ``command``; return its exit code, its errors, and the most memory its processes used together, in bytes."""
    return peaks_of(command)[:3]


def run(source, destination, *options):
    return [sys.executable, "-m", "pixmill", "run", source, destination, "--workers", "2", *options]


@pytest.mark.parametrize(
    "side",
    [pytest.param(9_000, marks=pytest.mark.slow), pytest.param(30_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
@pytest.mark.parametrize(
    ("saver", "settings"),
    [
        ("tiff", {"compression": "jpeg", "Q": 50, "tile": True}),
        ("tiff", {"compression": "deflate"}),
        ("png", {"compression": 1}),
        ("jpg", {"Q": 50}),
    ],
)
def test_a_picture_that_streams_is_made_within_500_mb(tmp_path, side, saver, settings):
    source = tmp_path / "in"
    source.mkdir()
    gradient(side).write_to_file(str(source / f"large.{saver}"), **settings)
    options = ("--max-pixels", "1GP", "--max-source-bytes", "4GB", "--memory", "500MB", "--timeout", "10m")
    code, errors, peak = peak_of(run(source, tmp_path / "out", *options))
    assert code == 0, errors
    assert peak < 500 * MEGABYTE
    with Image.open(tmp_path / "out" / "large.jpg") as made:
        assert made.size == (1920, 1920)


@pytest.mark.slow
def test_what_cannot_stream_runs_alone_when_it_fits_and_is_refused_with_numbers_when_not(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    picture = gradient(5_000)
    for number in range(3):
        picture.write_to_file(str(source / f"progressive-{number}.jpg"), interlace=True, Q=50)
    roomy, tight = tmp_path / "roomy", tmp_path / "tight"
    code, errors, peak = peak_of(run(source, roomy, "--memory", "600MB"))
    assert code == 0, errors
    assert peak < 600 * MEGABYTE
    code, errors, peak = peak_of(run(source, tight, "--memory", "300MB"))
    assert code == 1
    assert peak < 300 * MEGABYTE
    with status.open_ledgers(str(tight)) as ledger:
        failed = list(status.failures(ledger))
    assert {image.failure.code for image in failed} == {"limit-memory"}
    assert "MB of memory, but may use only" in failed[0].failure.message
