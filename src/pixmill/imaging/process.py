"""Process one image with a recipe: header, limits, decode, colour, steps, encode."""

import logging
from collections.abc import Callable

import msgspec
from msgspec import structs

from pixmill.imaging.backends.setup import configure_vips, tune_malloc
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline import lossless, output_metadata, traits, turbo_decode
from pixmill.imaging.pipeline.accept import accepted
from pixmill.imaging.pipeline.decode import decode
from pixmill.imaging.pipeline.decode_plan import DecodePlan, plan_decode
from pixmill.imaging.pipeline.encode import EncodedOutput
from pixmill.imaging.pipeline.errors import translating_errors
from pixmill.imaging.pipeline.finish import Finisher
from pixmill.imaging.pipeline.identify import dropped_notes, read_header, without_preamble
from pixmill.imaging.pipeline.step_values import with_values
from pixmill.imaging.pipeline.transform import apply_chain, fit_codec
from pixmill.imaging.recipe import Recipe

__all__ = ["EncodedOutput", "Result", "configure", "process"]

#: The note on an image whose decoder warned about something that cost no pixel.
WARNINGS = "warnings"

_log = logging.getLogger(__name__)


def configure() -> None:
    """Configure this process as a worker: one image at a time, in one thread."""
    configure_vips()
    tune_malloc()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outputs of one image, one per rendition, in order.

    ``notes`` are stable codes: ``frames-dropped`` and ``pages-dropped``; ``profile-ignored`` and ``colour-ignored`` for statements
    about colours that have no meaning or contradict a better one; ``adobe-rgb-by-exif``, ``hdr-tone-mapped`` and
    ``converted-to-srgb`` (the format cannot carry the profile) for decisions about colours; ``metadata-dropped``,
    ``gain-map-dropped`` and ``depth-reduced`` for what an output cannot have; ``shrunk-to-fit``; ``below-target-quality``;
    ``preview-used``; ``copied``; ``larger-than-source``; ``warnings``.
    """

    outputs: tuple[EncodedOutput, ...]
    header: Header
    notes: tuple[str, ...] = ()


def process(
    source: Input,
    recipe: Recipe,
    *,
    enter: Callable[[str], None] = lambda _: None,
    claim: Callable[[int], None] = lambda _: None,
    with_traits: bool = False,
) -> Result:
    """Return the outputs of ``recipe`` for ``source``, ``with_traits`` if they are wanted.

    ``enter`` is called with the name of each stage as it begins. ``claim`` is called before decoding with the estimated memory in
    bytes, and may raise.

    The stages are ``header``, ``decode`` (including the leading resize, as cheaply as the format allows), ``transform`` and
    ``encode``; the last two run for each rendition. An ``ImageError`` names the stage that failed.
    """
    stage = ""

    def begin(name: str) -> None:
        nonlocal stage
        if stage != name:
            stage = name
            enter(name)

    source = without_preamble(source)
    with translating_errors(source, recipe, lambda: stage):
        result, warned = accepted(source, recipe, lambda each: _pipeline(each, recipe, begin, claim, with_traits=with_traits))
        return structs.replace(result, notes=(*result.notes, WARNINGS)) if warned else result


def _pipeline(
    source: Input, recipe: Recipe, begin: Callable[[str], None], claim: Callable[[int], None], *, with_traits: bool
) -> Result:
    begin("header")
    header = read_header(source, recipe)
    recipe.filters.check(header.upright)
    recipe = with_values(recipe, source, header)
    if recipe.lossless:
        claim(lossless.memory_estimate(header, len(source.data or b"")))
        output, remarks = lossless.optimised(source, header, recipe, begin, with_traits=with_traits)
        return Result(outputs=(output,), header=header, notes=remarks)
    plan = plan_decode(source, header, recipe)
    claim(plan.memory + len(source.data or b"") + _further_memory(plan, with_traits=with_traits))
    begin("decode")
    images = _decode_images(source, plan)
    metadata = output_metadata.read(source, header)
    captured_at = traits.captured_at(source, header, metadata) if with_traits else ""
    begin("transform")
    shared = apply_chain(images[0], plan.chains[0], plan) if recipe.shared_steps else None
    outputs, notes = [], list(dropped_notes(header, images[0], recipe))
    notes += output_metadata.notes_on(metadata) if recipe.hdr == "drop" else ()
    for index, rendition in enumerate(recipe.renditions):
        begin("transform")
        intermediate = shared.after(recipe.steps_of(rendition)) if shared else apply_chain(images[index], plan.chains[index], plan)
        codec = rendition.encode.for_file(source, header.format)
        columns = intermediate.image.columns
        intermediate = fit_codec(intermediate, codec, recipe.background)
        intermediate = traits.kept(intermediate) if with_traits else intermediate
        begin("encode")
        steps = (*recipe.shared_steps, *recipe.steps_of(rendition))
        finished = Finisher(source, header, images[0], metadata, recipe, rendition, codec, steps).finish(intermediate)
        output = traits.described(finished.output, intermediate.image, captured_at) if with_traits else finished.output
        outputs.append(structs.replace(output, columns=columns) if columns else output)
        notes += finished.notes
    return Result(outputs=tuple(outputs), header=header, notes=tuple(dict.fromkeys(notes)))


def _further_memory(plan: DecodePlan, *, with_traits: bool) -> int:
    """Return the bytes for what few recipes want."""
    memory = traits.memory_estimate(plan) if with_traits else 0
    if plan.recipe.hdr == "keep":
        from pixmill.imaging.gain_maps.follow import memory_estimate  # noqa: PLC0415  # for few runs

        memory += memory_estimate(plan.header)
    return memory


def _decode_images(source: Input, plan: DecodePlan) -> tuple[Image, ...]:
    """Return the decoded image for each chain of steps, from the fastest engine that produces exactly the requested result."""
    if plan.eighths:
        try:
            return turbo_decode.decode(source, plan)
        except turbo_decode.NotHandled as error:
            _log.debug("libvips decodes, not the fast path: %s", error)
    return (decode(source, plan),) * len(plan.chains)
