"""Bring together what a list names so that names can be given: whatever could want one name, wherever in the list it stood."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

import msgspec

from pixmill.batch.naming.reserved import collision_key
from pixmill.core.external_sort import Record

CHUNK = 1000  # images that are named together, unless more of them could want one name
_encode = msgspec.msgpack.Encoder().encode
NOTED = 10_000  # folders that are not noted again
_MARKED = re.compile(rb"~[0-9a-f]{16}(?:\.[^.]*)?")


class ManifestImage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One image of a list: its own path, what it is read by, and what else the list says. ``refusal``: why it is none.

    ``is_folder``: it is none, but a folder that images are in, and stands among those beside it since it needs a name as well.
    """

    path: bytes
    locator: bytes = b""
    columns: bytes = b""
    refusal: str = ""
    is_folder: bool = False


_decode = msgspec.msgpack.Decoder(ManifestImage).decode


class Ancestors:
    """Tells the folders on the way to each image of a list: those that have not been told of lately."""

    def __init__(self) -> None:
        """Know none."""
        self._noted: set[bytes] = set()

    def __call__(self, path: bytes) -> Iterator[ManifestImage]:
        """Yield the folders that the image at ``path`` is in."""
        while (path := posixpath.dirname(path)) and path not in self._noted:
            if len(self._noted) >= NOTED:
                self._noted.clear()
            self._noted.add(path)
            yield ManifestImage(path, is_folder=True)


def record(image: ManifestImage) -> Record:
    """Return ``image`` under a key that sorts by folder, then brings together what could want one name, then by path and place.

    Outputs are called after the stem of their source, and after its whole name when that is taken. All names that can meet in
    this way are the same up to the first dot, or the tilde before a number.
    """
    if image.refusal:
        return b"\0\0\0" + image.path, _encode(image)
    folder, _, name = image.path.rpartition(b"/")
    return b"\0\0".join([folder.replace(b"/", b"\0"), _common(name), name, image.locator]), _encode(image)


def chunks(
    records: Iterable[Record], refused: Callable[[ManifestImage], None], *, size: int = CHUNK
) -> Iterator[list[ManifestImage]]:
    """Yield the images of sorted ``records`` in lists that can be named one by one; what is listed twice comes once.

    Each has ``size`` images, and more where they could want one name; a folder comes with those that could want its name.
    Of several with one path, such as URLs that differ behind the ``?``, the first keeps it; the others are told apart by a hash
    of their place, which does not depend on what else is listed.
    """
    together: list[ManifestImage] = []  # what could want a name of each other is in here at once
    marked: list[ManifestImage] = []  # what has a name that nobody else could want
    last: ManifestImage | None = None
    for image in _images(records, refused):
        is_second = last is not None and last.path == image.path
        if not image.is_folder and (is_second or _MARKED.search(image.path)):
            marked.append(_marked(image))
            if len(marked) >= size:
                yield marked
                marked = []
        else:
            if len(together) >= size and _group(together[-1]) != _group(image):
                yield _without_lone_folders(together)
                together = []
            together.append(image)
        last = last if image.is_folder else image
    yield from filter(None, (_without_lone_folders(together), marked))


def _without_lone_folders(together: list[ManifestImage]) -> list[ManifestImage]:
    """Return what is in ``together``, but for folders whose name no image there could want."""
    if not any(image.is_folder for image in together):
        return together
    wanted = {_group(image) for image in together if not image.is_folder}
    return [image for image in together if not image.is_folder or _group(image) in wanted]


def _images(records: Iterable[Record], refused: Callable[[ManifestImage], None]) -> Iterator[ManifestImage]:
    """Yield the images of sorted ``records``, each once, and tell ``refused`` of those that are none."""
    last: ManifestImage | None = None
    for _, content in records:
        image = _decode(content)
        if image.refusal:
            refused(image)
        elif last is None or (last.path, last.locator, last.is_folder) != (image.path, image.locator, image.is_folder):
            yield image
            last = image


def _group(image: ManifestImage) -> tuple[bytes, bytes]:
    folder, _, name = image.path.rpartition(b"/")
    return folder, _common(name)


def _common(name: bytes) -> bytes:
    return re.split(rb"(?<!^)[.~]", collision_key(name), maxsplit=1)[0]


def _marked(image: ManifestImage) -> ManifestImage:
    """Return ``image`` with a hash of path and place behind its stem.

    What looks marked already is marked again, so that no two are the same.
    """
    folder, slash, name = image.path.rpartition(b"/")
    stem, dot, extension = name.rpartition(b".") if b"." in name[1:] else (name, b"", b"")
    mark = blake2b(image.path + image.locator, digest_size=8).hexdigest().encode()
    return msgspec.structs.replace(image, path=b"%s%s%s~%s%s%s" % (folder, slash, stem, mark, dot, extension))
