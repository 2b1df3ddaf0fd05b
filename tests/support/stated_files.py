"""One scene of patches and ramps in every container, stating its colours in every way that the container can."""

import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from support import icc_files
from support.colour_files import SPACES, Array, avif, iccp, png, shown, srgb_light
from support.colour_oracle import to_srgb

PATCH, RAMP = 32, 16  # pixels of a patch's side, and of a ramp's height
INSET = 8  # pixels at the edges of a patch that its neighbours reach
WIDTH, PATCHES_HEIGHT = 4 * PATCH, 4 * PATCH
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PRESS = "good/thumbor/cmyk-icc.jpg"


class Stated(NamedTuple):
    """A file, and the sRGB bytes (height, width, 3) that a colour-managed viewer shows."""

    data: bytes
    wanted: Array


def scene() -> Array:
    """Return sixteen patches, of colours that every space can show, over a ramp of gray and three of colour."""
    colours = np.random.default_rng(17).integers(80, 180, (16, 3))
    colours[:5] = np.array([0, 64, 128, 192, 255])[:, None]
    patches = colours.reshape(4, 4, 3).repeat(PATCH, 0).repeat(PATCH, 1)
    steps = np.linspace(0, 1, WIDTH)[:, None]
    ends = (
        [(0, 0, 0), (90, 110, 100), (170, 120, 110), (100, 90, 160)],
        [(255, 255, 255), (190, 130, 110), (110, 150, 120), (150, 170, 110)],
    )
    ramps = [np.array(dark) + steps * (np.array(light) - dark) for dark, light in zip(*ends, strict=True)]
    return np.concatenate([patches, np.stack(ramps).repeat(RAMP, 0)]).round().astype(np.uint8)


def patch_means(picture: Array, scale: float = 1) -> Array:
    """Return the mean colour inside each patch of the scene, as bytes."""
    side, inset = round(PATCH * scale), round(INSET * scale)
    patches = picture[: 4 * side, : 4 * side].astype(float).reshape(4, side, 4, side, 3)
    means: Array = patches[:, inset:-inset, :, inset:-inset].mean(axis=(1, 3)).reshape(16, 3)
    return means


def ramps(picture: Array, scale: float = 1) -> Array:
    """Return the rows in the middle of the ramps."""
    top, height = round(PATCHES_HEIGHT * scale), round(RAMP * scale)
    middle: Array = picture[top:].reshape(4, height, -1, 3)[:, height // 4 : -height // 4]
    return middle


def _deep(container: str, array: Array) -> Array:
    return array.astype(np.uint16) * 257 if container == "png, 16 bits" else array


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **{name: value for name, value in settings.items() if value is not None})
    return file.getvalue()


def _needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def _jxl(folder: Path, data: bytes, *options: str) -> bytes:
    _needs("cjxl")
    (folder / "in.png").write_bytes(data)
    subprocess.run(["cjxl", "-d", "0", *options, folder / "in.png", folder / "out.jxl"], check=True, capture_output=True)
    return (folder / "out.jxl").read_bytes()


def _heic(picture: Image.Image, **settings: object) -> bytes:
    pillow_heif.register_heif_opener()
    return _saved(picture, "HEIF", quality=-1, chroma=444, **settings)


def _bmp(array: Array, profile: bytes) -> bytes:
    """Return a BMP of version 5 with a profile, 24 bits a pixel."""
    height, width = array.shape[:2]
    rows = np.ascontiguousarray(array[::-1, :, ::-1]).tobytes()  # no padding: the width is a multiple of four
    head = struct.pack("<IiiHHI", 124, width, height, 1, 24, 0).ljust(56, b"\0") + b"DEBM"
    head = head.ljust(112, b"\0") + struct.pack("<2I", 124 + len(rows), len(profile))
    return b"BM" + struct.pack("<IHHI", 138 + len(rows) + len(profile), 0, 0, 138) + head.ljust(124, b"\0") + rows + profile


def _with_profile(container: str, array: Array, folder: Path, profile: bytes | None) -> bytes:
    """Return the file with a profile, or without any statement."""
    picture = Image.fromarray(array)
    chunks = {"iCCP": iccp(profile)} if profile else {}
    makers: dict[str, Callable[[], bytes]] = {
        "jpg": lambda: _saved(picture, "JPEG", quality=100, subsampling=0, icc_profile=profile),
        "png": lambda: png(array, **chunks),
        "png, 16 bits": lambda: png(_deep(container, array), **chunks),
        "webp": lambda: _saved(picture, "WEBP", lossless=True, icc_profile=profile),
        "tif": lambda: _saved(picture, "TIFF", icc_profile=profile),
        "avif": lambda: _saved(picture, "AVIF", quality=100, subsampling="4:4:4", icc_profile=profile),
        "heic": lambda: _heic(picture, icc_profile=profile, save_nclx_profile=False),
        "jxl": lambda: _jxl(folder, png(array, **chunks)),
        "bmp": lambda: _bmp(array, profile) if profile else _saved(picture, "BMP"),
        "gif": lambda: _saved(picture.quantize(256, dither=Image.Dither.NONE), "GIF"),
    }
    return makers[container]()


def _stored(data: bytes, container: str) -> Image.Image:
    """Return the values as they are in the file, which in some containers are rounded or limited to a palette."""
    if container in ("jxl", "png, 16 bits"):
        return Image.fromarray(scene())  # without a loss
    picture = Image.open(io.BytesIO(data))
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _by_profile(profile: bytes) -> Callable[[str, Path], Stated]:
    def make(container: str, folder: Path) -> Stated:
        data = _with_profile(container, scene(), folder, profile)
        return Stated(data, np.asarray(to_srgb(_stored(data, container), profile).convert("RGB")))

    return make


def _plain(container: str, folder: Path) -> Stated:
    data = _with_profile(container, scene(), folder, None)
    return Stated(data, np.asarray(_stored(data, container)))


def _gray(container: str, folder: Path) -> Stated:
    profile, values = icc_files.gray_profile(1.8), scene()[..., 0]
    wanted = np.asarray(to_srgb(Image.fromarray(values), profile).convert("RGB"))
    return Stated(_with_profile(container, values, folder, profile), wanted)


def _cmyk(container: str, _: Path) -> Stated:
    if not (CORPUS / PRESS).is_file():
        pytest.skip(f"the corpus has no {PRESS} here")
    profile = Image.open(io.BytesIO((CORPUS / PRESS).read_bytes())).info["icc_profile"]
    on_press = ImageCms.profileToProfile(
        Image.fromarray(scene()), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile)), outputMode="CMYK"
    )
    assert on_press is not None
    data = _saved(on_press, "JPEG", quality=100, subsampling=0, icc_profile=profile)
    data = _saved(on_press, "TIFF", icc_profile=profile) if container == "tif" else data
    return Stated(data, np.asarray(to_srgb(on_press, profile)))


def _by_codes(primaries: int, transfer: int, light: Callable[[Array], Array]) -> Callable[[str, Path], Stated]:
    def make(container: str, folder: Path) -> Stated:
        if container.startswith("png"):
            data = png(_deep(container, scene()), cICP=bytes([primaries, transfer, 0, 1]))
        elif container == "heic":
            codes = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 6}
            data = _heic(Image.fromarray(scene()), **codes)
        elif container == "jxl":
            names = {12: "RGB_D65_DCI_Rel_SRG", 9: "RGB_D65_202_Rel_SRG", 1: "RGB_D65_SRG_Rel_Lin"}
            data = _jxl(folder, png(scene()), "-x", f"color_space={names[primaries]}")
        else:
            _needs("avifenc")
            data = avif(folder, scene(), "--cicp", f"{primaries}/{transfer}/6")
        return Stated(data, shown(light(np.asarray(_stored(data, container)) / 255), primaries))

    return make


def _numbers(container: str, _: Path) -> Stated:
    red, green, blue, white = SPACES["adobe"]
    points = [round(100_000 * value) for point in (white, red, green, blue) for value in point]
    data = png(_deep(container, scene()), cHRM=struct.pack(">8I", *points), gAMA=struct.pack(">I", 45_470))
    return Stated(data, shown((scene() / 255) ** (563 / 256), "adobe"))


def _dcf(_: str, __: Path) -> Stated:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA005: {1: "R03"}})
    data = _saved(Image.fromarray(scene()), "JPEG", quality=100, subsampling=0, exif=exif)
    return Stated(data, shown((np.asarray(_stored(data, "jpg")) / 255) ** (563 / 256), "adobe"))


def _straight(values: Array) -> Array:
    return values


#: Each way to state colours: the containers that have it, and how to make a file.
WAYS: dict[str, tuple[str, Callable[[str, Path], Stated]]] = {
    "nothing": ("jpg png webp tif avif heic jxl bmp gif", _plain),
    "matrix": ("jpg png webp tif avif heic jxl bmp", _by_profile(icc_files.matrix_profile())),
    "table": ("jpg png webp tif avif heic jxl bmp", _by_profile(icc_files.table_profile())),
    "gray": ("jpg png tif jxl", _gray),
    "press": ("jpg tif", _cmyk),
    "codes of P3": ("png avif heic jxl", _by_codes(12, 13, srgb_light)),
    "codes of BT.2020": ("png avif heic jxl", _by_codes(9, 13, srgb_light)),
    "codes of linear light": ("png avif heic jxl", _by_codes(1, 8, _straight)),
    "cHRM and gAMA": ("png", _numbers),
    "DCF": ("jpg", _dcf),
}
CASES = [(way, container) for way, (containers, _) in WAYS.items() for container in containers.split()]

DEEP = [(way, "png, 16 bits") for way, container in CASES if container == "png"]


def stated(way: str, container: str, folder: Path) -> Stated:
    """Return the scene in this container, stating its colours in this way; skips the test if a program for it is missing."""
    return WAYS[way][1](container, folder)
