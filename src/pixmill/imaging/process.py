"""One image through a recipe: header, limits, decode, colour, steps, encode."""

from collections.abc import Callable

import msgspec
import pyvips
from msgspec import structs

from pixmill.core.errors import PixmillError
from pixmill.imaging import metadata
from pixmill.imaging.copying import Keeps, serves
from pixmill.imaging.decoding import decode, dropped, read_header
from pixmill.imaging.draft import Draft, advance
from pixmill.imaging.encoding import Output, encode
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.stages import blame
from pixmill.imaging.vips import configure

__all__ = ["ENGINE", "Output", "Result", "configure", "process"]

#: What decides the bytes of an output besides source and recipe: our own revision, and the library's version.
ENGINE = f"1 libvips-{pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one image: an output for each rendition, in order.

    ``notes`` are stable codes of what was dropped or ignored on the way: ``frames-dropped``, ``pages-dropped``,
    ``profile-ignored``, ``copied``.
    """

    outputs: tuple[Output, ...]
    header: Header
    notes: tuple[str, ...] = ()


def process(source: Input, recipe: Recipe, *, enter: Callable[[str], None] = lambda _: None) -> Result:
    """Return the outputs that ``recipe`` makes of ``source``; ``enter`` is called with each stage as it begins.

    The stages are ``header``, ``decode`` (with the first resize: to its size, as cheaply as the format allows), ``transform``
    and ``encode``, the latter two for each rendition. An ``ImageError`` says in which of them the picture failed.
    """
    stage = ""

    def begin(name: str) -> None:
        nonlocal stage
        stage = name
        enter(name)

    try:
        return _pipeline(source, recipe, begin)
    except (PixmillError, MemoryError):
        raise
    except Exception as error:
        raise blame(error, stage, source) from error


def _pipeline(source: Input, recipe: Recipe, begin: Callable[[str], None]) -> Result:
    begin("header")
    header = read_header(source, recipe)
    begin("decode")
    picture = decode(source, header, recipe)
    kept = metadata.collect(picture.pixels, recipe.metadata)
    begin("transform")
    shared = advance(Draft(picture), recipe.shared_steps, header, recipe) if recipe.shared_steps else Draft(picture)
    outputs, notes = [], [*dropped(header, picture)]
    for rendition in recipe.renditions:
        begin("transform")
        draft = advance(shared, recipe.steps_of(rendition), header, recipe)
        begin("encode")
        output = encode(draft.image, rendition, header, recipe, kept)
        if recipe.never_bigger and _is_better(source, output, picture, header, recipe):
            output, notes = structs.replace(output, data=source.read()), [*notes, "copied"]
        outputs.append(output)
        notes += draft.notes
    return Result(outputs=tuple(outputs), header=header, notes=tuple(dict.fromkeys(notes)))


def _is_better(source: Input, output: Output, picture: Image, header: Header, recipe: Recipe) -> bool:
    """Tell whether the source is smaller than ``output`` and may stand for it."""
    steps = [step for rendition in recipe.renditions for step in (*recipe.steps, *rendition.steps)]
    keeps = Keeps(colour=recipe.color == "keep", metadata=recipe.metadata == "keep")
    return serves(header, picture, output, steps=steps, keeps=keeps) and len(source.read()) < len(output.data)
