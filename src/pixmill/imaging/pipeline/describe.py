"""Describe an image without decoding it: its size, and when it was taken."""

from typing import NamedTuple

from pixmill.core.errors import ImageError, PixmillError
from pixmill.imaging.formats import codec_for
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.capture_time import capture_time
from pixmill.imaging.pipeline.error_stage import classify_error, without_futile_hint
from pixmill.imaging.pipeline.identify import read_header, without_preamble
from pixmill.imaging.recipe import Recipe

STAGE = "header"


class Description(NamedTuple):
    """The size of the upright image in pixels, and when it was ``taken``, as ``2024-05-17T10:11:12``; empty if unknown."""

    width: int
    height: int
    taken: str


def describe(source: Input, recipe: Recipe, *, with_time: bool) -> Description:
    """Describe ``source``, if it may be decoded; without its time unless that is wanted. Raise an ``ImageError`` as a run does."""
    try:
        source = without_preamble(source)
        header = read_header(source, recipe)
        taken = capture_time(codec_for(header.format).exif(source)) if with_time else ""
        return Description(*header.upright, taken)
    except ImageError as error:
        raise without_futile_hint(error, recipe) from error.__cause__
    except (PixmillError, MemoryError):
        raise
    except Exception as error:
        raise without_futile_hint(classify_error(error, STAGE, source), recipe) from error
