"""One image through a recipe: header, limits, decode, colour, steps, encode."""

from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec import structs

from pixmill.core.errors import PixmillError
from pixmill.imaging.backends.setup import configure_vips, tune_malloc
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields
from pixmill.imaging.pipeline import turbo_decode
from pixmill.imaging.pipeline.decode import decode
from pixmill.imaging.pipeline.encode import Output, encode
from pixmill.imaging.pipeline.error_stage import classify_error
from pixmill.imaging.pipeline.identify import dropped, read_header, without_preamble
from pixmill.imaging.pipeline.memory_estimate import memory_estimate
from pixmill.imaging.pipeline.never_bigger import Keeps, is_equivalent_output
from pixmill.imaging.pipeline.shrink_on_load import step_chains
from pixmill.imaging.pipeline.transform import Draft, apply_steps
from pixmill.imaging.recipe import Recipe

__all__ = ["Output", "Result", "configure", "process"]


def configure() -> None:
    """Set a process up to do nothing but this: one image at a time, in one thread."""
    configure_vips()
    tune_malloc()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one image: an output for each rendition, in order.

    ``notes`` are stable codes of what was dropped or ignored on the way: ``frames-dropped``, ``pages-dropped``,
    ``profile-ignored``, ``copied``.
    """

    outputs: tuple[Output, ...]
    header: Header
    notes: tuple[str, ...] = ()


def process(
    source: Input, recipe: Recipe, *, enter: Callable[[str], None] = lambda _: None, claim: Callable[[int], None] = lambda _: None
) -> Result:
    """Return the outputs that ``recipe`` makes of ``source``.

    ``enter`` is called with each stage as it begins; ``claim``, before anything is decoded, with the bytes of memory that it
    will take, and may raise.

    The stages are ``header``, ``decode`` (with the first resize: to its size, as cheaply as the format allows), ``transform``
    and ``encode``, the latter two for each rendition. An ``ImageError`` says in which of them the picture failed.
    """
    stage = ""

    def begin(name: str) -> None:
        nonlocal stage
        stage = name
        enter(name)

    try:
        return _pipeline(source, recipe, begin, claim)
    except (PixmillError, MemoryError):
        raise
    except Exception as error:
        raise classify_error(error, stage, source) from error


def _pipeline(source: Input, recipe: Recipe, begin: Callable[[str], None], claim: Callable[[int], None]) -> Result:
    begin("header")
    source = without_preamble(source)
    header = read_header(source, recipe)
    claim(memory_estimate(header, recipe) + len(source.data or b""))
    begin("decode")
    pictures = _pictures(source, header, recipe)
    kept = {} if pictures[0].has_raster else fields.collect(pictures[0].pixels, recipe.metadata)
    begin("transform")
    drafts = tuple(map(Draft, pictures))
    if recipe.shared_steps:
        drafts = (apply_steps(drafts[0], recipe.shared_steps, header, recipe),) * len(recipe.renditions)
    outputs, notes = [], [*dropped(header, pictures[0])]
    for rendition, shared in zip(recipe.renditions, drafts, strict=True):
        begin("transform")
        draft = apply_steps(shared, recipe.steps_of(rendition), header, recipe)
        begin("encode")
        output = encode(draft.image, rendition, header, recipe, kept)
        if recipe.never_bigger and _is_better(source, output, pictures[0], header, recipe):
            output, notes = structs.replace(output, data=source.read()), [*notes, "copied"]
        outputs.append(output)
        notes += draft.notes
    return Result(outputs=tuple(outputs), header=header, notes=tuple(dict.fromkeys(notes)))


def _pictures(source: Input, header: Header, recipe: Recipe) -> tuple[Image, ...]:
    """Return the decoded picture for each row of steps, by the fastest engine that makes exactly what is asked for."""
    if plan := turbo_decode.plan_decode(source, header, recipe):
        with suppress(turbo_decode.Unsure):
            return turbo_decode.decode(source, header, recipe, plan)
    return (decode(source, header, recipe),) * len(step_chains(recipe))


def _is_better(source: Input, output: Output, picture: Image, header: Header, recipe: Recipe) -> bool:
    """Tell whether the source is smaller than ``output`` and may stand for it."""
    steps = [step for rendition in recipe.renditions for step in (*recipe.steps, *rendition.steps)]
    keeps = Keeps(colour=recipe.color == "keep", metadata=recipe.metadata == "keep")
    return is_equivalent_output(header, picture, output, steps=steps, keeps=keeps) and len(source.read()) < len(output.data)
