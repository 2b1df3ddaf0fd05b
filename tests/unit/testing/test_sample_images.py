import hashlib
import io
import subprocess
import sys

import PIL.Image
import pytest

from pixmill.testing import sample_images
from pixmill.testing.sample_images import SAMPLES, has_images, main


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What the command says, and the folder that it filled. Once: it takes seconds."""
    folder = tmp_path_factory.mktemp("samples") / "input"
    command = [sys.executable, "-m", "pixmill.testing.sample_images", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout, folder


@pytest.fixture(scope="module")
def samples(written):
    return {path.name: path.read_bytes() for path in written[1].iterdir()}


@pytest.mark.parametrize(
    ("name", "kind", "mode", "least"),
    [
        ("sea.jpg", "JPEG", "RGB", 3e6),
        ("mountains.jpg", "JPEG", "RGB", 3e6),
        ("islands.jpg", "JPEG", "RGB", 3e6),
        ("lights.jpg", "JPEG", "RGB", 3e6),
        ("glass-ball.png", "PNG", "RGBA", 1e5),
        ("relief-16-bit.png", "PNG", "I;16", 1e6),
        ("rings.gif", "GIF", "P", 1e5),
        ("islands-cmyk.jpg", "JPEG", "CMYK", 1e6),
    ],
)
def test_each_sample_is_of_its_kind(samples, name, kind, mode, least):
    picture = PIL.Image.open(io.BytesIO(samples[name]))
    picture.load()
    assert (picture.format, picture.mode) == (kind, mode)
    assert picture.width * picture.height >= least


def test_there_is_one_of_each_trap(samples):
    opened = {name: PIL.Image.open(io.BytesIO(data)) for name, data in samples.items()}
    assert opened["lights.jpg"].getexif()[sample_images.ORIENTATION] == 6
    assert opened["lights.jpg"].width > opened["lights.jpg"].height
    assert opened["mountains.jpg"].info.get("progressive")
    assert opened["islands-cmyk.jpg"].info.get("icc_profile")
    assert opened["glass-ball.png"].getchannel("A").getextrema() == (0, 255)
    assert opened["relief-16-bit.png"].getextrema()[1] > 255 * 200


def test_samples_have_the_detail_of_photographs(samples):
    bits = 8 * len(samples["islands.jpg"]) / (1680 * 2240)
    assert 1 < bits < 4


@pytest.mark.parametrize("name", ["glass-ball.png", "rings.gif"])
def test_a_sample_is_the_same_every_time(samples, name):
    assert hashlib.sha256(SAMPLES[name]()).digest() == hashlib.sha256(samples[name]).digest()


def test_a_folder_that_holds_a_picture_is_left_alone(tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.JPG").write_bytes(b"")
    assert has_images(tmp_path)
    assert main(tmp_path).endswith("no samples written")
    assert len(list(tmp_path.iterdir())) == 1


def test_the_command_fills_an_empty_folder(written, samples):
    assert written[0].startswith(f"wrote {len(SAMPLES)} sample images")
    assert samples.keys() == SAMPLES.keys()
