"""Image files that state their colours in a certain way, and what they should look like."""

import io
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[Any]]
Space = int | str

# Red, green, blue and white as CIE xy: ITU-R BT.709-6, SMPTE EG 432-1, ITU-R BT.2020-2, Adobe RGB (1998) section 4.3.
WHITE = (0.3127, 0.3290)
SPACES: dict[Space, tuple[tuple[float, float], ...]] = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), WHITE),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), WHITE),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), WHITE),
    "adobe": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), WHITE),
}
SRGB = 1
REFERENCE_WHITE = 203  # cd/m2, ITU-R BT.2408


def to_xyz(space: Space) -> Array:
    """Return the matrix from linear light to CIE XYZ, by the definition of primaries: white is one of each."""
    primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in SPACES[space]]).T
    matrix: Array = primaries[:, :3] * np.linalg.solve(primaries[:, :3], primaries[:, 3])
    return matrix


def shown(light: Array, space: Space) -> Array:
    """Return linear light of ``space`` as sRGB bytes. All white points are D65, so nothing is adapted."""
    linear = np.clip(light @ (np.linalg.inv(to_xyz(SRGB)) @ to_xyz(space)).T, 0, 1)
    values: Array = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    return values.round().astype(np.uint8)


def srgb_light(values: Array) -> Array:
    """Return the linear light of sRGB values from 0 to 1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def pq(nits: Array | float) -> Array:
    """Return the PQ signal of light in cd/m2 (ITU-R BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    light = (np.asarray(nits) / 10_000) ** m1
    signal: Array = ((c1 + c2 * light) / (1 + c3 * light)) ** m2
    return signal


def chunk(name: str, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + name.encode() + content + struct.pack(">I", zlib.crc32(name.encode() + content))


def png(array: Array, *, behind: bytes = b"", **chunks: bytes) -> bytes:
    """Return a PNG with these chunks before its pixels, and the bytes ``behind`` after them."""
    if array.dtype == np.uint16:
        import pyvips  # noqa: PLC0415  # Pillow has no colours of 16 bits

        space = "grey16" if array.ndim == 2 else "rgb16"  # rows and columns alone
        data: bytes = pyvips.Image.new_from_array(array).copy(interpretation=space).pngsave_buffer(keep="none")
    else:
        file = io.BytesIO()
        Image.fromarray(array).save(file, "PNG")
        data = file.getvalue()
    parts = b"".join(chunk(name, content) for name, content in chunks.items())
    return data[:33] + parts + data[33:-12] + behind + data[-12:]


def iccp(profile: bytes) -> bytes:
    """Return the content of an iCCP chunk."""
    return b"profile\0\0" + zlib.compress(profile)


def avif(folder: Path, array: Array, *options: str) -> bytes:
    """Return an AVIF made by ``avifenc`` with these options."""
    Image.fromarray(array).save(folder / "in.png")
    command: list[str | Path] = [
        "avifenc",
        "-y",
        "444",
        "--min",
        "0",
        "--max",
        "4",
        *options,
        folder / "in.png",
        folder / "out.avif",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "out.avif").read_bytes()
