"""Find the traits of outputs, while their pixels are at hand."""

from msgspec import structs

from pixmill.imaging.formats import codec_for
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.capture_time import capture_time
from pixmill.imaging.pipeline.decode_plan import DecodePlan
from pixmill.imaging.pipeline.encode import EncodedOutput
from pixmill.imaging.pipeline.transform import Intermediate

MAX_KEPT = 32_000_000  # bytes of pixels; more of them may be streamed, and the file is read again instead
BYTES_PER_PIXEL = 4


def memory_estimate(plan: DecodePlan) -> int:
    """Return how many bytes more than ``plan`` says an image takes whose outputs get traits."""
    return min(MAX_KEPT, max(width * height * BYTES_PER_PIXEL for _, _, (width, height) in plan.chains))


def kept(intermediate: Intermediate) -> Intermediate:
    """Return ``intermediate`` with its pixels in memory, unless they are too many, since a stream is read once."""
    image = intermediate.image
    if image.has_raster or _is_large(image):
        return intermediate
    return intermediate._replace(image=image.evolve(pixels=image.pixels.copy_memory()))


def described(output: EncodedOutput, image: Image, captured_at: str, *, orientation: int = 1) -> EncodedOutput:
    """Return ``output``, made of ``image`` after ``kept``, with its traits; ``orientation``, as in EXIF, makes it upright."""
    from pixmill.imaging.traits.measure import traits_of, traits_of_file  # noqa: PLC0415  # for runs with an index

    if image.has_raster or not _is_large(image):
        return structs.replace(output, traits=traits_of(image, captured_at, orientation=orientation))
    return structs.replace(output, traits=traits_of_file(output.data, captured_at))


def captured_at(source: Input, header: Header, blocks: Blocks) -> str:
    """Return when the picture was taken, by the clock of the camera; empty if ``source`` does not say it."""
    taken = capture_time(blocks.exif)
    return capture_time(codec_for(header.format).exif(source)) if blocks.is_incomplete and not taken else taken


def _is_large(image: Image) -> bool:
    pixels = image.pixels
    bytes_per_value = 2 if pixels.format == "ushort" else 1
    return bool(pixels.width * pixels.height * pixels.bands * bytes_per_value > MAX_KEPT)
