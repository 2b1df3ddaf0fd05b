"""What a decoder would show wrongly is shown rightly or refused in words: planes, channels, thumbnails, bit fields."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.colour.icc_write import rgb_profile
from pixmill.imaging.colour.spaces import PRIMARIES, SRGB_CURVE
from support.jxl_files import cmyk as cmyk_jxl
from support.tiff_files import (
    ASSOCIATED,
    CMYK,
    LAB,
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    RAW,
    RGB,
    UNASSOCIATED,
    UNSPECIFIED,
    YCBCR,
    joined,
    page,
    tiff,
)

HEIGHT, WIDTH = 24, 40
REDUCED = {254: ("I", [1])}
DEPTHS = pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
PLANES = pytest.mark.parametrize("planar", [False, True], ids=["together", "planes"])


def gradients():
    """Return five channels that differ everywhere."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 6, y * 10, 255 - x * 5, 40 + (x + y) * 3, 250 - y * 9], axis=-1).clip(0, 255).astype(np.uint8)


def pixels(made):
    return np.asarray(Image.open(io.BytesIO(made.outputs[0].data))).astype(int)


def deepened(samples, *, deep):
    return samples.astype(np.uint16) * 257 if deep else samples


@DEPTHS
@PLANES
@pytest.mark.parametrize(
    ("photometric", "extra", "shown"),
    [
        (MIN_IS_BLACK, (), [0]),
        (MIN_IS_BLACK, (UNASSOCIATED,), [0, 1]),
        (MIN_IS_BLACK, (UNSPECIFIED, UNSPECIFIED), [0]),
        (MIN_IS_WHITE, (UNASSOCIATED,), [0, 1]),
        (RGB, (), [0, 1, 2]),
        (RGB, (UNASSOCIATED,), [0, 1, 2, 3]),
        (RGB, (UNSPECIFIED, UNASSOCIATED), [0, 1, 2, 4]),
    ],
)
def test_channels_are_shown_or_their_layout_is_refused(make, photometric, extra, shown, planar, deep):
    colours = 3 if photometric == RGB else 1
    samples = gradients()[..., : colours + len(extra)]
    data = tiff(deepened(samples, deep=deep), photometric, extra=extra, planar=planar)
    if planar and colours == 1 and extra:
        with pytest.raises(UnsupportedError, match=r"gray with . separate planes"):
            make(data)
        return
    wanted = samples[..., shown].astype(int)
    if photometric == MIN_IS_WHITE:
        wanted[..., 0] = 255 - wanted[..., 0]
    assert np.abs(pixels(make(data)).reshape(wanted.shape) - wanted).max() == 0


@DEPTHS
def test_ycbcr_without_subsampling_is_no_rgb(make, deep):
    picture = Image.fromarray(gradients()[..., :3])
    samples = deepened(np.asarray(picture.convert("YCbCr")), deep=deep)
    made = make(tiff(samples, YCBCR, tags={530: ("H", [1, 1])}))
    assert np.abs(pixels(made) - np.asarray(picture, int)).max() <= 3


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
def test_ycbcr_as_pillow_writes_it_is_no_rgb(make, compression):
    picture = Image.fromarray(gradients()[..., :3])
    file = io.BytesIO()
    picture.convert("YCbCr").save(file, "TIFF", compression=compression, **({"quality": 100} if compression == "jpeg" else {}))
    assert np.abs(pixels(make(file.getvalue())) - np.asarray(picture, int)).mean() <= 3


@DEPTHS
@PLANES
@pytest.mark.parametrize(("channels", "extra"), [(3, ()), (4, (UNASSOCIATED,))])
def test_lab_that_would_be_shown_wrongly_is_refused(make, channels, extra, planar, deep):
    data = tiff(deepened(gradients()[..., :channels], deep=deep), LAB, extra=extra, planar=planar)
    if (planar, channels) == (False, 3):  # of 8 bits by Pillow, of 16 by libvips
        assert pixels(make(data)).shape == (HEIGHT, WIDTH, 3)
        return
    with pytest.raises(UnsupportedError, match="Lab"):
        make(data)


@DEPTHS
@PLANES
def test_cmyk_keeps_its_alpha(make, planar, deep):
    samples = gradients()
    made = make(tiff(deepened(samples, deep=deep), CMYK, extra=(UNASSOCIATED,), planar=planar))
    assert np.abs(pixels(made)[..., 3] - samples[..., 4]).max() == 0


@DEPTHS
def test_associated_alpha_is_undone(make, deep):
    alpha = np.tile(np.array([255, 128, 64], np.uint8), (8, 4))
    premultiplied = np.stack([(value * (alpha / 255)).round().astype(np.uint8) for value in (200, 100, 50)] + [alpha], axis=-1)
    got = pixels(make(tiff(deepened(premultiplied, deep=deep), RGB, extra=(ASSOCIATED,))))
    assert np.abs(got[..., :3] - (200, 100, 50)).max() <= 4
    assert (got[..., 3] == alpha).all()


def flat(size, colour, **settings):
    return page(np.full((size[1], size[0], 3), colour, np.uint8), RGB, **settings)


def raw(**settings):
    return page(np.zeros((60, 90), np.uint16), RAW, **settings)


THUMBNAIL = flat((20, 10), 90, tags={**REDUCED, 330: ("page", [1, 2]), 274: ("H", [6])})


@pytest.mark.parametrize(
    ("pages", "size", "notes"),
    [
        ([THUMBNAIL, raw(), flat((60, 30), 30, tags=REDUCED)], (30, 60), ("preview-used",)),
        ([THUMBNAIL, flat((60, 30), 30), flat((90, 40), 60, tags=REDUCED)], (30, 60), ()),
        ([flat((20, 10), 90, tags=REDUCED), flat((60, 30), 30)], (60, 30), ("pages-dropped",)),
        ([flat((60, 30), 30), flat((20, 10), 90, tags=REDUCED)], (60, 30), ("pages-dropped",)),
        ([flat((20, 10), 90, tags=REDUCED)], (20, 10), ("preview-used",)),
    ],
    ids=["raw with a preview", "below a thumbnail", "after a thumbnail", "before a thumbnail", "nothing else"],
)
def test_a_thumbnail_is_not_the_picture(make, pages, size, notes):
    made = make(joined(pages))
    assert (made.outputs[0].width, made.outputs[0].height) == size
    assert made.notes == notes


@pytest.mark.parametrize("pages", [[raw()], [flat((20, 10), 90, tags={**REDUCED, 330: ("page", [1])}), raw()]])
def test_a_raw_photograph_without_a_preview_is_refused(make, pages):
    with pytest.raises(UnsupportedError, match="a raw photograph"):
        make(joined(pages))


def bmp(values, masks, *, top_down=False, profile=b""):
    """Return a BMP with a header of version 5 and these masks for red, green, blue and alpha."""
    height, width = values.shape
    rows = values if top_down else values[::-1]
    padding = -width * values.itemsize % 4
    pixel_data = b"".join(row.tobytes() + bytes(padding) for row in rows)
    head = struct.pack("<IiiHHI5I4I", 124, width, -height if top_down else height, 1, 8 * values.itemsize, 3, 0, 0, 0, 0, 0, *masks)
    head += b"DEBM" if profile else b"BGRs"
    head = head.ljust(112, b"\0") + struct.pack("<2I", 124 + len(pixel_data), len(profile))
    head = head.ljust(124, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixel_data) + len(profile), 0, 0, 138) + head + pixel_data + profile


ARGB = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)


@pytest.mark.parametrize("top_down", [False, True])
def test_the_alpha_of_a_bmp_is_kept(make, top_down):
    wide = np.array([[0xFF102030, 0x80405060, 0x00708090], [0x01FF0000, 0xFE00FF00, 0x7F0000FF]], np.uint32)
    got = pixels(make(bmp(wide, ARGB, top_down=top_down)))
    assert got[0].tolist() == [[16, 32, 48, 255], [64, 80, 96, 128], [112, 128, 144, 0]]
    assert got[1, 2].tolist() == [0, 0, 255, 127]
    narrow = np.array([[0x801F, 0x7C00, 0xFFFF]], np.uint16)
    got = pixels(make(bmp(narrow, (0x7C00, 0x03E0, 0x001F, 0x8000), top_down=top_down)))
    assert got[0].tolist() == [[0, 0, 255, 255], [255, 0, 0, 0], [255, 255, 255, 255]]


def test_an_alpha_that_is_zero_everywhere_was_not_meant(make):
    assert pixels(make(bmp(np.full((3, 5), 0x00102030, np.uint32), ARGB)))[1, 1].tolist() == [16, 32, 48]


def test_the_profile_of_a_bmp_counts(make):
    data = bmp(np.full((3, 5), 0xFFC83232, np.uint32), ARGB, profile=rgb_profile(PRIMARIES[12], SRGB_CURVE))
    assert pixels(make(data))[1, 1].tolist() == [218, 24, 40, 255]


def test_a_bmp_that_ends_early_is_truncated(make):
    data = bmp(np.full((30, 50), 0xFF102030, np.uint32), ARGB)
    with pytest.raises(Exception, match="truncated"):
        make(data[:-200])
    assert pixels(make(data[:-200], allow_truncated=True))[0, 0].tolist() in ([16, 32, 48, 255], [0, 0, 0, 0])


def test_a_jpeg_xl_in_cmyk_is_refused(make, corpus):
    pytest.importorskip("pillow_jxl")
    profile = Image.open(io.BytesIO(corpus("good/thumbor/cmyk-icc.jpg"))).info["icc_profile"]
    samples = np.full((32, 40, 4), 255, np.uint8)
    samples[:, 20:, 3] = 0  # black ink alone, which the decoder drops
    with pytest.raises(UnsupportedError, match="CMYK"):
        make(cmyk_jxl(samples, profile))
