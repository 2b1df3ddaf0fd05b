"""DST that is a file, such as ``thumb.webp``: one image is written to exactly this file, in the format of its extension."""

import os
from collections.abc import Mapping

import msgspec

from pixmill.core.errors import AddressError, RecipeError
from pixmill.core.text import printable
from pixmill.imaging.format import Format
from pixmill.imaging.formats import by_extension
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address
from pixmill.storage.open import schemes

_READ_ONLY = ("http", "https", "multi", "tar", "zip")


class TargetFile(msgspec.Struct, frozen=True):
    """The file ``name`` in ``folder``, in the ``format`` that its extension stands for."""

    folder: Address
    name: bytes
    format: Format

    def with_format(self, values: Mapping[str, object], recipe: Recipe) -> Mapping[str, object]:
        """Return the option ``values`` with the format of this file, unless they or ``recipe`` say which format to write."""
        is_chosen = "format" in values or "formats" in values or recipe.renditions != Recipe().renditions
        is_chosen = is_chosen or bool(values.get("lossless"))
        return values if is_chosen else {**values, "format": self.format.name}

    def check(self, recipe: Recipe, source: str) -> None:
        """Raise ``RecipeError`` if ``recipe`` does not make one image of ``source`` in the format of this file."""
        shown = printable(self.name)
        if len(recipe.renditions) > 1:
            hint = "give a folder as DST, or ask for one size and one format"
            raise RecipeError(f"DST {shown} is one file, but {len(recipe.renditions)} are to be made of each image", hint=hint)
        codec = recipe.renditions[0].encode
        wanted = (by_extension(source.rpartition(".")[2]) if codec.follows_source else None) or codec.format
        if wanted.name != self.format.name:
            message = f"DST {shown} has the extension of {self.format.label}, but {wanted.label} is to be written"
            raise RecipeError(message, hint="leave out the format, or give DST another extension")


def target_file(destination: str) -> TargetFile | None:
    """Return the file that ``destination`` names; ``None`` if it names a folder.

    It names a file if it has the extension of an image format, does not end in a slash, and is no existing folder.
    ``AddressError`` if that format cannot be written.
    """
    address = Address.parse(destination)
    folder, slash, name = address.location.rpartition(b"/")
    stem, dot, extension = name.rpartition(b".")
    image_format = by_extension(extension.decode("utf-8", "replace")) if dot and stem.strip(b".") else None
    if image_format is None or not _can_hold_files(address, has_folder=bool(slash)):
        return None
    if not image_format.writable:
        message = f"DST {address} looks like a file, but pixmill does not write {image_format.label}"
        raise AddressError(message, hint=f"choose another format, or for a folder of this name write {address}/")
    if address.local:
        folder = folder or slash or b"."
    return TargetFile(Address(address.scheme, folder), name, image_format)


def _can_hold_files(address: Address, *, has_folder: bool) -> bool:
    """Tell whether ``address`` may be that of a file to write: not an existing folder, a bucket, or a dataset."""
    if address.local:
        return not os.path.isdir(address.location)  # noqa: PTH112  # bytes, and pathlib may raise instead
    return has_folder and address.scheme not in _READ_ONLY and address.scheme in schemes().names()
