"""Give a source that a strict decoder refused a second chance, in a form without what may have cost no pixel."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import pyvips

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input
from pixmill.imaging.recipe import Recipe


class DecoderWarning(Exception):
    """The decoder reads the whole file, but something is wrong with it. libvips does not notice what follows the last row."""


#: The errors by which a decoder, or our own parsers, refuse a source.
REFUSALS = (pyvips.Error, DecoderWarning, DecodeError, UnsupportedError)

Result = TypeVar("Result")


def accepted(source: Input, recipe: Recipe, attempt: Callable[[Input], Result]) -> tuple[Result, bool]:
    """Return the result of ``attempt`` for ``source``, or for the first of its equivalents that passes, and whether it was one.

    Which warnings of a decoder matter is not decided by their words: what a codec leaves out of an equivalent defines no pixel. If
    all are refused, the error is that of ``source``. A recipe that allows damage needs none of them.
    """
    try:
        return attempt(source), False
    except REFUSALS:
        file_format = None if recipe.allow_truncated else sniff(source.head, recipe.allowed)
        if file_format is not None:
            for equivalent in recipe.reader(file_format).equivalents(source):
                with suppress(*REFUSALS):
                    return attempt(equivalent), True
        raise
