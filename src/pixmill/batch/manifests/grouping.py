"""Group the images of a list so that they can be named: images whose names may collide come together, wherever they were listed."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

import msgspec

from pixmill.batch.naming.reserved import collision_stem
from pixmill.core.external_sort import Record

CHUNK_SIZE = 1000  # images named together, unless more of them could collide
_encode = msgspec.msgpack.Encoder().encode
MAX_REMEMBERED = 10_000  # folders that are not yielded again
_DISAMBIGUATED = re.compile(rb"~[0-9a-f]{16}(?:\.[^.]*)?")


class ManifestImage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One image of a list: its path, its locator, and the other columns of its row. ``error``: why the row names no image.

    ``is_folder``: it is a folder that contains images, listed next to its siblings because its name can collide with theirs.
    ``etag``: that of an object, if its row names it.
    """

    path: bytes
    locator: bytes = b""
    columns: bytes = b""
    error: str = ""
    is_folder: bool = False
    etag: bytes = b""


_decode = msgspec.msgpack.Decoder(ManifestImage).decode


class Ancestors:
    """Yields the parent folders of each image of a list, except those yielded recently."""

    def __init__(self) -> None:
        """Start with no folders yielded."""
        self._yielded: set[bytes] = set()

    def __call__(self, path: bytes) -> Iterator[ManifestImage]:
        """Yield the parent folders of the image at ``path``."""
        while (path := posixpath.dirname(path)) and path not in self._yielded:
            if len(self._yielded) >= MAX_REMEMBERED:
                self._yielded.clear()
            self._yielded.add(path)
            yield ManifestImage(path, is_folder=True)


def record(image: ManifestImage) -> Record:
    """Return ``image`` under a key that sorts by folder, by the part of the name that can collide, then by name and locator."""
    if image.error:
        return b"\0\0\0" + image.path, _encode(image)
    folder, _, name = image.path.rpartition(b"/")
    return b"\0\0".join([folder.replace(b"/", b"\0"), collision_stem(name), name, image.locator]), _encode(image)


def chunks(
    records: Iterable[Record],
    on_invalid: Callable[[ManifestImage], None],
    *,
    size: int = CHUNK_SIZE,
    has_unique_paths: bool = False,
) -> Iterator[list[ManifestImage]]:
    """Yield the images of sorted ``records``, without duplicates, in lists whose names cannot collide with each other.

    Each list has ``size`` images, or more if they could collide; a folder comes with the images that could have its name. Of
    several images with the same path, such as URLs that differ only in their query, the first keeps it; the others are
    distinguished by a hash of their locator, which does not depend on the rest of the list. With ``has_unique_paths`` there are
    none, and the first of several images with the same path is it.
    """
    group: list[ManifestImage] = []  # images that could collide with each other are in here together
    unique: list[ManifestImage] = []  # images whose names were made unique
    last: ManifestImage | None = None
    for image in _images(records, on_invalid):
        is_second = last is not None and last.path == image.path
        if has_unique_paths and is_second and not image.is_folder:
            continue
        if not (image.is_folder or has_unique_paths) and (is_second or _DISAMBIGUATED.search(image.path)):
            unique.append(msgspec.structs.replace(image, path=disambiguated(image.path, image.locator)))
            if len(unique) >= size:
                yield unique
                unique = []
        else:
            if len(group) >= size and _name_group(group[-1]) != _name_group(image):
                yield _without_lone_folders(group)
                group = []
            group.append(image)
        last = last if image.is_folder else image
    yield from filter(None, (_without_lone_folders(group), unique))


def _without_lone_folders(group: list[ManifestImage]) -> list[ManifestImage]:
    """Return ``group`` without the folders whose name no image in it could have."""
    if not any(image.is_folder for image in group):
        return group
    with_images = {_name_group(image) for image in group if not image.is_folder}
    return [image for image in group if not image.is_folder or _name_group(image) in with_images]


def _images(records: Iterable[Record], on_invalid: Callable[[ManifestImage], None]) -> Iterator[ManifestImage]:
    """Yield the images of sorted ``records``, each once, and call ``on_invalid`` for rows that name none."""
    last: ManifestImage | None = None
    for _, content in records:
        image = _decode(content)
        if image.error:
            on_invalid(image)
        elif last is None or (last.path, last.locator, last.is_folder) != (image.path, image.locator, image.is_folder):
            yield image
            last = image


def _name_group(image: ManifestImage) -> tuple[bytes, bytes]:
    folder, _, name = image.path.rpartition(b"/")
    return folder, collision_stem(name)


def disambiguated(path: bytes, locator: bytes) -> bytes:
    """Return ``path`` with a hash of itself and ``locator`` appended to its stem.

    A name that looks disambiguated already gets another hash, so that no two names are equal.
    """
    folder, slash, name = path.rpartition(b"/")
    stem, dot, extension = name.rpartition(b".") if b"." in name[1:] else (name, b"", b"")
    digest = blake2b(path + locator, digest_size=8).hexdigest().encode()
    return b"%s%s%s~%s%s%s" % (folder, slash, stem, digest, dot, extension)
