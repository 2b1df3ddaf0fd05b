"""dHash is that of the definition on the small picture, and nearly that of ``imagehash`` on the whole one."""

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.traits.dhash import dhash
from pixmill.imaging.traits.small_picture import from_pillow

MAX_BITS, TYPICAL_BITS = 6, 2  # of 64, in which the hash of every sixteenth pixel may differ from that of all


def by_definition(picture):
    gray = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    bits = "".join("1" if gray[y, x + 1] > gray[y, x] else "0" for y in range(8) for x in range(8))
    return f"{int(bits, 2):016x}"


def test_the_hash_tells_where_a_picture_gets_lighter_to_the_right():
    ramp = Image.linear_gradient("L").rotate(90)  # darker to the right or lighter, by the definition of its gradient
    assert dhash(from_pillow(ramp)) == by_definition(ramp)
    assert {dhash(from_pillow(ramp)), dhash(from_pillow(ramp.rotate(180)))} == {"0" * 16, "f" * 16}


def test_a_photograph_has_nearly_the_hash_of_all_its_pixels(corpus_photos):
    distances = []
    for path in corpus_photos[:8]:
        with Image.open(path) as photo:
            picture = photo.convert("RGB")
        distances.append((int(dhash(from_pillow(picture)), 16) ^ int(by_definition(picture), 16)).bit_count())
    assert max(distances) <= MAX_BITS
    assert sorted(distances)[len(distances) // 2] <= TYPICAL_BITS


def test_the_hash_is_that_of_imagehash(corpus_photos):
    imagehash = pytest.importorskip("imagehash")
    for path in corpus_photos[:2]:
        with Image.open(path) as photo:
            small = from_pillow(photo.convert("RGB"))
        assert dhash(small) == str(imagehash.dhash(small.on_white()))


def test_what_is_transparent_counts_as_white():
    mark = Image.new("RGBA", (90, 80), (0, 0, 0, 0))
    mark.paste((0, 0, 0, 255), (0, 0, 45, 80))
    shown = Image.new("RGB", (90, 80), "white")
    shown.paste((0, 0, 0), (0, 0, 45, 80))
    assert dhash(from_pillow(mark)) == dhash(from_pillow(shown)) != "0" * 16
