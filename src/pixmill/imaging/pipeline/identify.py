"""Identify a file by its first bytes, read its header, and count the frames to decode."""

from collections.abc import Collection

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.core.remedy import install_command, retry_command
from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import JPEG_START, FileKind, Format, kind_of
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.errors import translating_errors
from pixmill.imaging.recipe import Recipe


def read_header(source: Input, recipe: Recipe) -> Header:
    """Return the header of ``source``, after checking that it may be decoded. Raise an ``ImageError`` if not."""
    codec = recipe.reader(identify(source, recipe.allowed))
    with translating_errors(source, recipe, lambda: "header"):
        if stated := codec.stated_header(source):
            recipe.limits.check(stated)
        header = codec.header(source)
    if min(header.width, header.height) < 1:
        raise DecodeError(f"the {header.format.label} is damaged: it has no pixels")
    recipe.limits.check(header, frames=wanted_frames(header, recipe))
    return header


def without_preamble(source: Input) -> Input:
    """Return ``source`` from its first JPEG marker on, if its first bytes match no known signature.

    Cameras, scanners and mail gateways put bytes before a JPEG, which every browser skips.
    """
    kind = kind_of(source.head)
    is_jpeg = kind is None or (kind.name == "JPEG" and not source.head.startswith(JPEG_START))
    start = source.head.find(JPEG_START) if is_jpeg else -1
    return source if start < 0 else Input(source.read()[start:])


def identify(source: Input, allow: Collection[str] = ()) -> Format:
    """Return the format of ``source`` by its first bytes. Raise an ``ImageError`` if it is not an image or may not be read."""
    kind = kind_of(source.head, allow)
    if kind is None or not kind.is_image:
        raise DecodeError(_not_an_image(source.head, kind), hint=_by_package(kind), code="not-an-image")
    if kind.format is None:
        raise UnsupportedError(
            f"the file is {kind.description}, which pixmill does not read", hint=_by_package(kind), kind=kind.name
        )
    if kind.format.opt_in and kind.format.name not in allow:
        message = f"{kind.format.label} is not read unless it is allowed"
        raise UnsupportedError(message, hint="if you trust these files", options={"allow": kind.format.name}, kind=kind.name)
    return kind.format


def _by_package(kind: FileKind | None) -> str:
    """Return how to read ``kind`` with a package of its own; empty if there is none."""
    return f"{install_command(kind.package)}, then: {retry_command({'allow': kind.package})}" if kind and kind.package else ""


def _not_an_image(head: bytes, kind: FileKind | None) -> str:
    if not head:
        return "the file is empty"
    return f"the file is {kind.description}, not an image" if kind else "the file is not an image"


def wanted_frames(header: Header, recipe: Recipe) -> int:
    """Return the number of frames to decode: all if a rendition keeps the animation and its format supports it, else one."""
    if not header.format.animation:
        return 1
    return header.frames if any(_keeps_frames(rendition.encode, header, recipe) for rendition in recipe.renditions) else 1


def dropped_notes(header: Header, image: Image, recipe: Recipe) -> tuple[str, ...]:
    """Return the note on frames or pages of the file that an output of ``image``, as decoded, does not have."""
    are_dropped = image.frames > 1 and not all(_keeps_frames(rendition.encode, header, recipe) for rendition in recipe.renditions)
    return (f"{header.format.pages}-dropped",) if header.frames > image.frames or are_dropped else ()


def _keeps_frames(codec: Codec, header: Header, recipe: Recipe) -> bool:
    return recipe.keeps_animation(codec) and codec.for_source(header.format).format.animation
