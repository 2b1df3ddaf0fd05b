"""An independent, colour-managed decode of image files by Pillow and LittleCMS, and the colour difference CIEDE2000."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

Array = np.ndarray[Any, np.dtype[Any]]

WHITE = (255, 255, 255)
ENOUGH = 200_000  # pixels that are compared of a large picture


def sampled(size: tuple[int, int], enough: int = ENOUGH) -> tuple[int, tuple[int, int]]:
    """Return the step between pixels that are compared, in rows and columns, and how many columns and rows that makes."""
    width, height = size
    step = max(1, int((width * height / enough) ** 0.5))
    return step, (max(1, width // step), max(1, height // step))


def reference(data: bytes, *, background: tuple[int, int, int] = WHITE, enough: int | None = None) -> Array:
    """Return the image as sRGB bytes (height, width, 3): upright, with its profile applied, on ``background``.

    With ``enough``, only pixels in the middle of squares, about so many, which costs no more than decoding.
    """
    picture: Image.Image = Image.open(io.BytesIO(data))
    picture.load()
    gamma = picture.info.get("gamma", 0) if not {"icc_profile", "srgb", "chromaticity"} & picture.info.keys() else 0
    profile = picture.info.get("icc_profile")
    picture = _upright(picture)
    if picture.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if enough:
        step, size = sampled(picture.size, enough)
        picture = picture.resize(
            size, Image.Resampling.NEAREST, box=(0, 0, min(picture.width, size[0] * step), min(picture.height, size[1] * step))
        )
    if picture.mode.startswith("I;16") or picture.mode == "I":
        picture = Image.fromarray((np.asarray(picture, dtype=np.float64) * 255 / 65535 + 0.5).astype(np.uint8))
    if picture.mode == "1":
        picture = picture.convert("L")
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    picture = picture.convert("RGB") if alpha is not None else picture
    picture = Image.fromarray(_lit(np.asarray(to_srgb(picture, profile).convert("RGB")), gamma))
    if alpha is not None:
        ground = Image.new("RGB", picture.size, background)
        ground.paste(picture, mask=alpha)
        picture = ground
    return np.asarray(picture)


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except (SyntaxError, ValueError):  # its EXIF is damaged
        return picture


def _lit(array: Array, gamma: float) -> Array:
    """Return sRGB bytes for bytes encoded with a power function, as declared by gAMA alone."""
    if not gamma or abs(gamma - 1 / 2.2) < 0.005:
        return array
    light = (array / 255) ** (1 / gamma)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (encoded * 255 + 0.5).astype(np.uint8)


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return ``picture`` in sRGB as LittleCMS converts it, with relative intent and black point compensation."""
    if not profile:
        return picture
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            picture,
            embedded,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return picture
    return converted or picture


def pixels(data: bytes) -> Array:
    """Return the image of an output as sRGB bytes (height, width, 3), without conversion."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def difference(first: Array, second: Array) -> tuple[float, float]:
    """Return the mean and the 99.9th percentile of CIEDE2000 between two arrays of sRGB bytes."""
    step = max(1, int((first.shape[0] * first.shape[1] / ENOUGH) ** 0.5))
    first, second = first[::step, ::step], second[::step, ::step]
    distance = ciede2000(to_lab(first), to_lab(second))
    return float(distance.mean()), float(np.percentile(distance, 99.9))


def to_lab(srgb: Array) -> Array:
    """Return CIE L*a*b* (D65) of sRGB bytes (IEC 61966-2-1)."""
    value = srgb.astype(np.float64) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    xyz = light @ matrix.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], axis=-1)


def ciede2000(first: Array, second: Array) -> Array:
    """Return the colour difference of CIE 142-2001 between two arrays of L*a*b*.

    Checked against the pairs in Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", 2005.
    """
    l1, a1, b1 = np.moveaxis(first, -1, 0)
    l2, a2, b2 = np.moveaxis(second, -1, 0)
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    boost = 1 + 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * boost, a2 * boost
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    gray = c1 * c2 == 0
    turn = h2 - h1
    turn = np.where(gray, 0, np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn)))
    delta_l, delta_c = l2 - l1, c2 - c1
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    total = h1 + h2
    mean_h = np.where(np.abs(h1 - h2) <= 180, total / 2, np.where(total < 360, total / 2 + 180, total / 2 - 180))
    mean_h = np.where(gray, total, mean_h)
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    weight_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    weight_c, weight_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rotation = -np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2)))) * 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    l, c, h = delta_l / weight_l, delta_c / weight_c, delta_h / weight_h  # noqa: E741  # the formula's own letters
    difference: Array = np.sqrt(np.maximum(0, l**2 + c**2 + h**2 + rotation * c * h))
    return difference
