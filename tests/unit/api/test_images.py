"""``process`` accepts every kind of image, with the same result as for the file."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import pixmill
from pixmill.api.images import UNDEFINED_MODES
from pixmill.core.errors import ConfigError, DecodeError, ReadError

WIDTH, HEIGHT = 60, 40
ORIENTATION, COPYRIGHT = 0x112, 0x8298
SIDEWAYS = 6


def gradient():
    red = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    return np.dstack([red, red[::-1], 255 - red]).astype("uint8")


def decoded(output):
    return Image.open(io.BytesIO(output))


@pytest.fixture
def photo(tmp_path):
    """Return the path of a PNG file with an orientation, a copyright notice and a colour profile."""
    picture = Image.fromarray(gradient())
    exif = picture.getexif()
    exif[ORIENTATION], exif[COPYRIGHT] = SIDEWAYS, "a photographer"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(tmp_path / "photo.png", exif=exif, icc_profile=profile)
    return tmp_path / "photo.png"


def buffer(path):
    return io.BytesIO(path.read_bytes())


@pytest.mark.parametrize(
    "kind",
    [
        Path.read_bytes,
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        str,
        Path,
        buffer,
        Image.open,
    ],
    ids=["bytes", "bytearray", "memoryview", "str", "Path", "file", "Pillow"],
)
def test_every_kind_gives_the_same_output(photo, kind):
    assert pixmill.process(kind(photo), size="30x30", format="webp") == pixmill.process(photo, size="30x30", format="webp")


def test_an_open_file_is_read_from_where_it_stands(photo):
    file = io.BytesIO(b"head" + photo.read_bytes())
    file.seek(4)
    assert pixmill.process(file, format="png") == pixmill.process(photo, format="png")


def test_a_path_that_is_no_text_is_read(tmp_path, photo):
    name = os.fsdecode(b"photo-\xff.png")
    (tmp_path / name).write_bytes(photo.read_bytes())
    assert pixmill.process(tmp_path / name, format="png") == pixmill.process(photo, format="png")


def test_orientation_metadata_and_profile_of_a_pillow_image_are_used(photo):
    with Image.open(photo) as opened, decoded(pixmill.process(opened, format="jpeg", metadata="keep", color="keep")) as output:
        assert output.size == (HEIGHT, WIDTH)
        assert output.getexif()[COPYRIGHT] == "a photographer"
        assert output.info["icc_profile"] == opened.info["icc_profile"]


def test_what_the_caller_changed_counts(photo):
    with Image.open(photo) as opened:
        opened.getexif()[ORIENTATION] = 1
        opened.info["icc_profile"] = None
        assert decoded(pixmill.process(opened, format="png")).size == (WIDTH, HEIGHT)


def test_xmp_of_a_pillow_image_is_kept(tmp_path):
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        b' rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="a negative"/></rdf:RDF></x:xmpmeta>'
    )
    Image.fromarray(gradient()).save(tmp_path / "a.jpg", xmp=xmp)
    with Image.open(tmp_path / "a.jpg") as opened:
        assert decoded(pixmill.process(opened, format="jpeg", metadata="keep")).info["xmp"] == xmp


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "I;16", "I;16B"]
)
def test_a_pillow_image_of_any_mode_is_processed(mode):
    output = decoded(pixmill.process(Image.new(mode, (WIDTH, HEIGHT)), format="png"))
    assert output.size == (WIDTH, HEIGHT)


def test_transparency_of_a_pillow_image_is_kept():
    picture = Image.new("RGBA", (WIDTH, HEIGHT), (200, 100, 50, 128))
    for given in (picture, picture.convert("RGBa")):
        red, green, blue, alpha = decoded(pixmill.process(given, format="png")).convert("RGBA").getpixel((5, 5))
        assert (alpha, round(red, -1), round(green, -1), round(blue, -1)) == (128, 200, 100, 50)


@pytest.mark.parametrize("mode", UNDEFINED_MODES)
def test_a_pillow_image_without_defined_colours_is_refused_with_a_remedy(mode):
    with pytest.raises(ConfigError, match=f"mode {mode} are not supported\n.*(convert|ImageCms)"):
        pixmill.process(Image.new(mode, (WIDTH, HEIGHT)))


def test_a_damaged_file_behind_a_pillow_image_is_a_decode_error(photo):
    data = photo.read_bytes()
    with Image.open(io.BytesIO(data[:-100])) as opened, pytest.raises(DecodeError, match="cannot be decoded"):
        pixmill.process(opened)


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (gradient()[..., 0], "L"),
        (gradient()[..., :1], "L"),
        (gradient()[..., :2], "LA"),
        (gradient(), "RGB"),
        (gradient()[::-1, ::2], "RGB"),
        (np.dstack([gradient(), gradient()[..., 0]]), "RGBA"),
    ],
)
def test_an_array_is_processed_with_its_values(array, mode):
    output = decoded(pixmill.process(array, format="png", size="keep"))
    assert output.mode == mode
    assert (np.asarray(output) == array.reshape(np.asarray(output).shape)).all()


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_an_array_of_16_bits_keeps_its_depth(byte_order):
    array = (gradient()[..., 0].astype(f"{byte_order}u2") * 257).astype(f"{byte_order}u2")
    output = decoded(pixmill.process(array, format="png", depth="keep", size="keep"))
    assert (np.asarray(output) == array).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (gradient() / 255, r"uint8 or uint16, received float64\n.*\* 255"),
        (gradient() > 5, r"uint8 or uint16, received bool"),
        (gradient().astype("int64"), r'received int64\narray.astype\("uint8"\)'),
        (gradient().transpose(2, 0, 1), r"received 3 x 40 x 60\n.*transpose\(1, 2, 0\)"),
        (gradient()[None], "received 1 x 40 x 60 x 3"),
        (gradient()[:0], "received 0 x 60 x 3"),
        (gradient()[0, 0], "received 3"),
        (gradient()[0, 0, 0], "received numpy.uint8"),
    ],
)
def test_an_array_that_is_no_image_is_refused_in_a_sentence(array, message):
    with pytest.raises(ConfigError, match=message):
        pixmill.process(array)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "expected bytes, a path, .* received NoneType"),
        (3, "received int"),
        (["a.jpg"], "received list"),
        ("", "received empty text"),
        ("https://example.org/a.jpg", "only files of this machine"),
        (io.StringIO("text"), 'binary mode, received one in text mode\nopen\\(path, "rb"\\)'),
        (Image, "received module"),
        (pixmill.Image.from_numpy(gradient()), r"received pixmill.imaging.image.Image\npass image.to_numpy"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(image, message):
    with pytest.raises(ConfigError, match=message):
        pixmill.process(image)


def test_a_file_in_text_mode_is_refused_in_a_sentence(photo):
    with photo.open() as file, pytest.raises(ConfigError, match="text mode"):
        pixmill.process(file)


def test_a_folder_is_refused_with_the_function_for_folders(tmp_path):
    with pytest.raises(ConfigError, match=r"is a folder\npixmill.run"):
        pixmill.process(tmp_path)


def test_a_missing_file_is_a_read_error(tmp_path):
    with pytest.raises(ReadError, match="No such file") as caught:
        pixmill.process(tmp_path / "none.jpg")
    assert caught.value.code == "read-vanished"
