"""Describe an image without decoding it: its size, and what its metadata say in variables."""

from collections.abc import Mapping
from typing import NamedTuple

from pixmill.imaging.formats import codec_for
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.values import values_in
from pixmill.imaging.pipeline.accept import accepted
from pixmill.imaging.pipeline.errors import translating_errors
from pixmill.imaging.pipeline.identify import read_header, without_preamble
from pixmill.imaging.recipe import Recipe


class Description(NamedTuple):
    """The size of the upright image in pixels, and the ``values`` of its metadata, as ``metadata.values`` has them."""

    width: int
    height: int
    values: Mapping[str, str]


def describe(source: Input, recipe: Recipe, *, with_metadata: bool) -> Description:
    """Describe ``source``, if it may be decoded, without values unless they are wanted. Raise an ``ImageError`` as a run does."""
    return accepted(without_preamble(source), recipe, lambda each: _description(each, recipe, with_metadata=with_metadata))[0]


def _description(source: Input, recipe: Recipe, *, with_metadata: bool) -> Description:
    header = read_header(source, recipe)
    with translating_errors(source, recipe, lambda: "header"):
        codec = codec_for(header.format)
        values = values_in(codec.metadata(source), codec.exif(source)) if with_metadata else {}
    return Description(*header.upright, values)
