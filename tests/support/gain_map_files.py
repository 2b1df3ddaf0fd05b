"""Ultra HDR files whose gain map shows the same as their picture."""

import io
from typing import Any

import numpy as np
from PIL import Image

from pixmill.imaging.gain_maps.reading import GainMap
from pixmill.imaging.gain_maps.writing import attached
from pixmill.imaging.metadata.containers.jpeg import APP1, XMP

SIZE, SCALE = (640, 480), 4  # of the picture, and how many of its pixels there are for one of the map, per side
PARAMETERS = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    b'hdrgm:Version="1.0" hdrgm:GainMapMin="0" hdrgm:GainMapMax="2.5" hdrgm:Gamma="1" hdrgm:OffsetSDR="0.015625" '
    b'hdrgm:OffsetHDR="0.015625" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2.5" hdrgm:BaseRenditionIsHDR="False" '
    b'xmp:CreatorTool="a camera"/></rdf:RDF></x:xmpmeta>'
)


def pattern() -> Image.Image:
    """Return a picture without any symmetry, in which every place is told by its surroundings."""
    row, column = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    values = np.sin(column / 47) + np.cos(row / 31 + column / 90) + np.sin(row / 80) * column / 300
    return Image.fromarray(((values - values.min()) / np.ptp(values) * 255).astype(np.uint8))


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    """Return a picture as a JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def ultra_hdr(*, exif: Image.Exif | None = None, mode: str = "L", profile: bytes = b"", scale: float = SCALE) -> bytes:
    """Return a file whose map shows the same as its picture, at a ``scale`` to one."""
    base = pattern().convert("RGB")
    small = base.convert(mode).resize((round(SIZE[0] / scale), round(SIZE[1] / scale)), Image.Resampling.BOX)
    kind = GainMap(b"", ((APP1, XMP + PARAMETERS),), has_iso=False, has_xmp=True)
    file = attached(jpeg(base, exif=exif or Image.Exif(), icc_profile=profile), kind, jpeg(small))
    assert file is not None
    return file


def likeness(picture: Image.Image, small: Image.Image) -> float:
    """Return the correlation of a picture with its map."""
    shown = np.asarray(picture.convert("L").resize(small.size, Image.Resampling.BOX), float)
    return float(np.corrcoef(shown.ravel(), np.asarray(small.convert("L"), float).ravel())[0, 1])
