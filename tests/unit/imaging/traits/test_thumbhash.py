"""ThumbHash agrees with the definition: with hashes that its author's program makes, and with another port of it, if installed."""

from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.traits.small_picture import SmallPicture, from_pillow
from pixmill.imaging.traits.thumbhash import thumbhash


def picture(width, height, *, has_alpha):
    row, column = np.mgrid[0:height, 0:width]
    alpha = 255 - (row**2 + 3 * column) % 200 if has_alpha else row * 0 + 255
    bands = [column**2 * 3 % 251, (row**2 + 5 * column) % 241, (row * column + 7 * row) % 239, alpha]
    pixels = np.stack(bands, axis=-1).astype(np.uint8)
    return SmallPicture(Image.fromarray(pixels if has_alpha else pixels[..., :3].copy()))


# made by js/thumbhash.js of https://github.com/evanw/thumbhash
@pytest.mark.parametrize(
    ("width", "height", "has_alpha", "expected"),
    [
        (64, 48, False, "2+cFDYJVYDZ1dXhldUhWdUiuT6+4"),
        (48, 64, False, "28cFHQgIVWaHZ3ZndmZnZgmLunCJ"),
        (100, 20, False, "HPgFGYRyBmRTRkV1lZ8Om4w="),
        (33, 33, True, "G+iFFQQKICUxdjJGNiSMb8CbfYjdiL/26Q=="),
        (20, 100, True, "mteFEQgKAGRHRkYAiiqQmJp5iHedh/g="),
        (1, 1, False, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ],
)
def test_a_thumbhash_is_that_of_the_definition(width, height, has_alpha, expected):
    assert b64encode(thumbhash(picture(width, height, has_alpha=has_alpha))).decode() == expected


def test_a_thumbhash_is_that_of_another_port(corpus_photos):
    oracle = pytest.importorskip("thumbhash")
    for path in corpus_photos[:2]:
        with Image.open(path) as photo:
            small = from_pillow(photo.convert("RGB"))
        pixels = np.asarray(small.picture.convert("RGBA")).reshape(-1).tolist()
        expected = oracle.rgba_to_thumb_hash(*small.picture.size, pixels)
        assert thumbhash(small) == bytes(expected), path.name


def test_a_flat_picture_has_no_varying_terms_but_its_colour():
    flat = SmallPicture(Image.new("RGB", (60, 40), "white"))
    data = thumbhash(flat)
    assert data[:5] == bytes((63, 8, 2, 5, 128))
    assert not any(data[5:])


def test_a_transparent_picture_has_a_thumbhash():
    clear = SmallPicture(Image.new("RGBA", (10, 10)))
    assert len(thumbhash(clear)) > 5
