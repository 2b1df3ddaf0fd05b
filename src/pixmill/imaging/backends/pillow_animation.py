"""Animations that Pillow reads and writes, and libvips does not: moving PNG and AVIF. Frames are complete pictures of 8 bits."""

import io
from typing import TYPE_CHECKING, Any

import pyvips

from pixmill.imaging.backends.pillow import NAMES, import_plugin, open_picture, with_metadata
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.fields import field

if TYPE_CHECKING:
    import PIL.Image

ALPHA_MODES = ("RGBA", "LA", "PA")


def frame_count(source: Input, file_format: Format) -> int:
    """Return the number of frames; a still that a moving PNG carries for programs that show nothing else is none."""
    with open_picture(source, file_format) as picture:
        return getattr(picture, "n_frames", 1) - _first(picture)


def decode(source: Input, header: Header, *, frames: int) -> Image:
    """Return the first ``frames`` frames of ``source``, with their delays and number of repetitions."""
    rows, delays = [], []
    with open_picture(source, header.format) as picture:
        mode = "RGBA" if _has_alpha(picture) else "RGB"
        start = _first(picture)
        for index in range(start, start + frames):
            picture.seek(index)
            picture.load()
            rows.append(Image.from_pil(picture.convert(mode)).pixels)
            delays.append(round(picture.info.get("duration") or 0))
        column = with_metadata(pyvips.Image.arrayjoin(rows, across=1), picture)
        return Image(column, frames=frames, delays=tuple(delays), loop=picture.info.get("loop") or 0)


def encode(image: Image, file_format: Format, **settings: Any) -> bytes:  # noqa: ANN401  # each plugin's own options
    """Return all frames of ``image`` encoded by Pillow, with the profile of its pixels and no other metadata."""
    import_plugin(file_format)
    first, *others = (Image(image.frame(index)).to_pil() for index in range(image.frames))
    profile = field(image.pixels, "icc-profile-data")
    file = io.BytesIO()
    first.save(
        file,
        NAMES[file_format.name],
        save_all=True,
        append_images=others,
        duration=list(image.delays) or 0,
        loop=image.loop,
        **({"icc_profile": profile} if profile else {}),
        **settings,
    )
    return file.getvalue()


def _first(picture: "PIL.Image.Image") -> int:
    """Return the index of the first frame: 1 if a moving PNG begins with a still that is not part of the animation."""
    return int(bool(getattr(picture, "default_image", False)))


def _has_alpha(picture: "PIL.Image.Image") -> bool:
    return picture.mode in ALPHA_MODES or "transparency" in picture.info
