"""Describe an image without decoding it: its size, and when it was taken."""

from typing import NamedTuple

from pixmill.imaging.formats import codec_for
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.capture_time import capture_time
from pixmill.imaging.pipeline.accept import accepted
from pixmill.imaging.pipeline.errors import translating_errors
from pixmill.imaging.pipeline.identify import read_header, without_preamble
from pixmill.imaging.recipe import Recipe


class Description(NamedTuple):
    """The size of the upright image in pixels, and when it was ``taken``, as ``2024-05-17T10:11:12``; empty if unknown."""

    width: int
    height: int
    taken: str


def describe(source: Input, recipe: Recipe, *, with_time: bool) -> Description:
    """Describe ``source``, if it may be decoded; without its time unless that is wanted. Raise an ``ImageError`` as a run does."""
    return accepted(without_preamble(source), recipe, lambda each: _description(each, recipe, with_time=with_time))[0]


def _description(source: Input, recipe: Recipe, *, with_time: bool) -> Description:
    header = read_header(source, recipe)
    with translating_errors(source, recipe, lambda: "header"):
        taken = capture_time(codec_for(header.format).exif(source)) if with_time else ""
    return Description(*header.upright, taken)
