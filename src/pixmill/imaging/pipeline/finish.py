"""Make the file of one rendition from its transformed image: encoded, with its metadata, and no larger than it may be."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from msgspec import structs

from pixmill.core.errors import EncodeError
from pixmill.core.units import ByteSize
from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import MAX_COLOURS, Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.metadata.selection import OutputFacts
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.pipeline import output_metadata
from pixmill.imaging.pipeline.encode import EncodedOutput, encode, fit
from pixmill.imaging.pipeline.never_bigger import has_same_pixels
from pixmill.imaging.pipeline.palette import looks_same, may_be_indexed
from pixmill.imaging.pipeline.search.size_search import Found, search_quality, search_size
from pixmill.imaging.pipeline.transform import Intermediate, fit_codec
from pixmill.imaging.recipe import Recipe, Rendition

#: The note on an output whose sides are shorter than asked for, since its file would have been too large.
SHRUNK = "shrunk-to-fit"
#: The note on an output that scores less than asked for: no quality is enough, or its file would have been too large.
BELOW_TARGET = "below-target-quality"
SCORED = "scored"  # the message about each file whose appearance was compared
ENCODED = "encoded"  # the message about each file that is made, of which all but one are thrown away
MAX_PALETTE_GAIN = 10  # times fewer bytes: no palette gains more, and to find one may take seconds

_log = logging.getLogger(__name__)


class Finished(NamedTuple):
    """The file of a rendition, what its metadata may state, and notes as in ``Result``."""

    output: EncodedOutput
    facts: OutputFacts
    notes: tuple[str, ...]

    @property
    def data(self) -> bytes:
        """Return the content of the file."""
        return self.output.data


class Scored(NamedTuple):
    """A file that ``codec`` made, and its score."""

    finished: Finished
    codec: Codec
    score: float


class Finisher(NamedTuple):
    """Makes the file of a ``rendition`` of ``source``, whose ``decoded`` image the ``steps`` of ``recipe`` have transformed.

    ``codec``: that of the rendition, for this source.
    """

    source: Input
    header: Header
    decoded: Image
    metadata: Blocks
    recipe: Recipe
    rendition: Rendition
    codec: Codec
    steps: Sequence[Operation]

    def finish(self, intermediate: Intermediate) -> Finished:
        """Return the file; ``EncodeError`` if it cannot be as small as the rendition asks for."""
        codec, limit, target = self.codec, self.rendition.max_size, self.rendition.target_quality
        is_searched = limit is not None or target is not None
        if is_searched and not intermediate.image.has_raster:  # it may be encoded again, and a stream is read once
            image = intermediate.image
            intermediate = intermediate._replace(image=image.evolve(pixels=image.pixels.copy_memory()))
        if target is not None and codec.lossy_quality is not None:
            first, codec = self._looking_good(target, intermediate)
        else:
            first = self._indexed(intermediate, self._file(intermediate, codec))
        copy = self._copy(first)
        if copy is not None and len(copy.data) < len(first.data):
            output = structs.replace(first.output, data=copy.data, score=None)
            first = first._replace(output=output, notes=(*copy.notes, *intermediate.notes))
        if limit is None or len(first.data) <= limit:
            return first
        within = self._within(limit, intermediate, codec, first)
        is_worse = target is not None and codec.lossy_quality is not None
        return within._replace(notes=tuple(dict.fromkeys((*within.notes, *((BELOW_TARGET,) if is_worse else ())))))

    def _looking_good(self, target: int, intermediate: Intermediate) -> tuple[Finished, Codec]:
        """Return the file of the lowest quality that scores ``target``, or of the highest one, and the codec with that quality."""
        from pixmill.imaging.pipeline.search.appearance import Appearance  # noqa: PLC0415  # imports numpy, for few runs
        from pixmill.imaging.pipeline.search.score_search import TOLERANCE, search_score  # noqa: PLC0415  # as above

        image = _as_written(intermediate.image, self.rendition, self.recipe)
        appearance = Appearance(fit(self.codec.prepared(image), self.codec.format, self.recipe.background))
        lossy, *others = self.codec.choices(is_lossless=self.header.is_lossless)
        rungs = self._rungs(lossy)

        def make(rung: int) -> Scored:
            finished = self._file(intermediate, rungs[rung])
            score = appearance.score(finished.data, rungs[rung])
            _log.debug(SCORED, extra={"score": round(score, 2), "bytes": len(finished.data), "quality": rungs[rung].lossy_quality})
            return Scored(finished, rungs[rung], score)

        found = search_score(make, [rung.typical_score for rung in rungs], target=target)
        smaller = [
            file for file in (self._file(intermediate, codec) for codec in others) if len(file.data) < len(found.finished.data)
        ]
        if smaller:
            return smaller[0], found.codec
        notes = (*found.finished.notes, *((BELOW_TARGET,) if found.score < target - TOLERANCE else ()))
        output = structs.replace(found.finished.output, score=found.score)
        return found.finished._replace(output=output, notes=notes), self.codec.evolve(quality=found.codec.lossy_quality)

    def _rungs(self, codec: Codec) -> tuple[Codec, ...]:
        """Return ``codec`` with each quality to search, for ``keep`` no higher than that of the source."""
        if not self.rendition.encode.follows_source:
            return codec.by_quality()
        best = codec.by_quality()[-1].no_better_than(self.source)
        return tuple(rung for rung in best.by_quality() if (rung.lossy_quality or 0) <= (best.lossy_quality or 0))

    def _indexed(self, intermediate: Intermediate, first: Finished) -> Finished:
        """Return the file with a palette, if the source has one, and if it is smaller and looks the same; else the ``first``."""
        if not self.header.palette_colours:
            return first
        # A resize mixes colours, so that there are more than in the source.
        codec = self.codec.with_exact_palette(MAX_COLOURS if first.facts.is_resampled else self.header.palette_colours)
        image = _as_written(intermediate.image, self.rendition, self.recipe)
        if codec is None or not may_be_indexed(image, codec.profiles):
            return first
        indexed = self._file(intermediate, codec)
        return indexed if len(indexed.data) < len(first.data) and looks_same(image, indexed.data) else first

    def _within(self, limit: ByteSize, intermediate: Intermediate, codec: Codec, first: Finished) -> Finished:
        """Return a file of less quality, or with fewer colours, or with shorter sides, since the ``first`` one is too large."""
        found = Found(first, (first.output.width, first.output.height), fits=False)
        quality, palette = codec.lossy_quality, codec.with_fewer_colours()
        if quality is not None:
            worst = min(quality, self.rendition.min_quality)
            lower = partial(self._of_quality, intermediate, codec)
            found = search_quality(found, lower, quality=quality, lowest=worst, limit=limit)
            codec = codec.evolve(quality=worst)
        elif palette is not None:
            codec, intermediate = palette, fit_codec(intermediate, palette, self.recipe.background)
            if len(first.data) <= limit * MAX_PALETTE_GAIN:
                file = self._file(intermediate, codec)
                found = found._replace(file=file, fits=len(file.data) <= limit)
        if found.fits:
            return found.file
        found = search_size(found, lambda sides: self._file(intermediate, codec, sides), limit=limit)
        if not found.fits:
            raise _too_large(found.file.output, codec, limit)
        return found.file._replace(notes=(*found.file.notes, SHRUNK))

    def _of_quality(self, intermediate: Intermediate, codec: Codec, quality: int) -> Finished:
        return self._file(intermediate, codec.evolve(quality=quality))

    def _file(self, intermediate: Intermediate, codec: Codec, size: Size | None = None) -> Finished:
        """Return the file that ``codec`` makes, of an image with shorter sides if there is a ``size``."""
        extra = () if size is None else (Resize(width=size[0], height=size[1], fit="fill"),)
        image = _as_written(intermediate.after(extra).image, self.rendition, self.recipe)
        output = encode(image, codec, self.recipe, rendition=self.rendition.name, is_lossless=self.header.is_lossless)
        facts = output_metadata.facts_about(image, self.header, (*self.steps, *extra))
        written = output_metadata.write(output.data, codec, self.metadata, facts, self.recipe)
        written = self._with_gain_map(written, codec, (*self.steps, *extra), (image.width, image.height))
        _log.debug(ENCODED, extra={"bytes": len(written.data), "quality": codec.lossy_quality, "size": (image.width, image.height)})
        return Finished(structs.replace(output, data=written.data), facts, (*written.notes, *intermediate.notes))

    def _with_gain_map(
        self, written: output_metadata.Written, codec: Codec, steps: Sequence[Operation], size: Size
    ) -> output_metadata.Written:
        """Return the file with the gain map of the source, if it is to keep it and can."""
        if self.recipe.hdr == "drop" or not self.metadata.has_gain_map:
            return written
        data = None
        if {self.header.format.name, codec.format.name} == {"jpeg"}:
            from pixmill.imaging.gain_maps.follow import with_gain_map  # noqa: PLC0415  # for few runs

            data = with_gain_map(written.data, self.source, self.header, steps, size, is_converted=self._is_converted)
        if data is None:
            return written._replace(notes=(*written.notes, output_metadata.GAIN_MAP_DROPPED))
        return written._replace(data=data)

    @property
    def _is_converted(self) -> bool:
        """Tell whether the output has the colours of another profile than the source."""
        profile = None if self.decoded.has_raster else field(self.decoded.pixels, PROFILE)
        return self.recipe.color == "srgb" and profile is not None and not is_srgb(profile)

    def _copy(self, finished: Finished) -> output_metadata.Written | None:
        """Return the source as the content of the file, if it has the same pixels and may be copied."""
        is_cut = self.decoded.frames > 1 and not self.recipe.keeps_animation(self.rendition.encode)
        if is_cut or not self.recipe.never_bigger or (self.recipe.hdr == "keep" and self.metadata.has_gain_map):
            return None
        keeps_colour = self.recipe.color == "keep"
        if not has_same_pixels(self.header, self.decoded, finished.output, steps=self.steps, keeps_colour=keeps_colour):
            return None
        return output_metadata.rewritten(self.source, self.header, self.metadata, finished.facts, self.recipe)


def _too_large(smallest: EncodedOutput, codec: Codec, limit: ByteSize) -> EncodeError:
    quality = "" if codec.lossy_quality is None else f", quality {codec.lossy_quality}"
    least = f"{len(smallest.data):,} bytes ({smallest.width} x {smallest.height} pixels{quality})"
    hint = "give a larger --max-size, or keep less metadata"
    return EncodeError(f"the smallest file has {least}: --max-size allows {limit}", hint=hint, code="max-size")


def _as_written(image: Image, rendition: Rendition, recipe: Recipe) -> Image:
    """Return only the first frame of an animation that is not kept."""
    is_cut = image.frames > 1 and not recipe.keeps_animation(rendition.encode)
    return Image(image.frame(0)) if is_cut else image
