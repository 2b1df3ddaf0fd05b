"""Objects below one prefix of one bucket, as a storage. Which store it is, is the scheme's business."""

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any, Self

import msgspec

from pixmill.core.errors import PixmillError, ReadError, WriteError
from pixmill.core.text import printable
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.object_store import errors
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.keys import key_of, path_of
from pixmill.storage.object_store.prefix_listing import PrefixListing
from pixmill.storage.object_store.walk import BucketWalk, FolderListing
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, no_op, occupied

#: bytes of an object from which it is sent in parts: as much as a slow line sends before a silent store is given up
PARTED = 16 << 20
PART = 8 << 20
#: seconds of patience with one page of a listing, on which everything depends
LISTED = 120.0

Meaning = Callable[[Exception, bytes, str], PixmillError]


class ObjectVersion(msgspec.Struct, frozen=True):
    """What tells one put of an object from all others, for the store that compares it."""

    e_tag: str | None = None
    version: str | None = None


class ObjectStorage(Scheme):
    """A bucket, or what is below a prefix of it. A put is atomic, and durable when it returns; an entry's version is its ETag.

    The modification time of an object is that of its put and cannot be set.
    """

    def __init__(self, bucket: Bucket, *, patience: RetryPolicy | None = None) -> None:
        """Ask for nothing yet. ``patience`` is had with listings; for the rest a ``Retrying`` has it."""
        self._bucket = bucket
        self._patience = patience or RetryPolicy(deadline=LISTED)

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # a put leaves nothing, no links
        """Return what is at ``address``."""
        return cls(cls.bucket(address))

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened store; ``AddressError`` or ``MissingExtra`` when it cannot be. One request has not been made yet."""
        raise NotImplementedError

    def stat(self, path: bytes) -> Entry | None:
        """Return the object that is there, or ``None``."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error):
            try:
                return _entry(path, self._bucket.library.head(self._bucket.store, key))
            except FileNotFoundError:
                return None

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content: of one version, whatever is put meanwhile."""
        return self._read(path, limit, {})

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the content of exactly this version, in one request."""
        return self._read(entry.path, limit, {"if_match": f'"{entry.version.decode()}"'})

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        key = key_of(relative(path))
        try:
            with self._translating_errors(path, errors.read_error):
                return bytes(self._bucket.library.get(self._bucket.store, key, options={"range": (0, max(1, size))}).bytes())[:size]
        except ReadError as error:
            entry = None if error.retryable else self.stat(path)
            if entry is not None and not entry.size:  # it has no first byte that could be asked for
                return b""
            raise

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,  # noqa: ARG002  # always
        mtime_ns: int | None = None,  # noqa: ARG002  # it cannot be set
        on_sync: Callable[[], None] = no_op,  # noqa: ARG002  # all of it is waiting
        replacing: Replacing = FREE_NAME,
    ) -> None:
        """Put ``data``, in parts where it is large, and make sure that all of it has arrived.

        A store compares when it is given the whole object at once. Before one in parts the name is looked at, and an object that
        comes there meanwhile is replaced.
        """
        key, is_parted = key_of(relative(path)), len(data) > PARTED
        is_guarded = not (replacing.own or replacing.others)
        if is_guarded and is_parted and self._is_there(path, data):
            return
        with self._translating_errors(path, errors.write_error):
            options: dict[str, Any] = {"mode": "create"} if is_guarded and not is_parted else {}
            try:
                sent = self._bucket.library.put(
                    self._bucket.store, key, data, use_multipart=is_parted, chunk_size=PART, max_concurrency=2, **options
                )
            except self._bucket.library.exceptions.AlreadyExistsError:
                sent = None
            stored = None
            if sent is not None and (sent["e_tag"] or "").strip('"') != _md5(data):
                stored = self._bucket.library.head(self._bucket.store, key)
        if sent is None and not self._is_there(path, data):
            raise WriteError(f"{printable(path)} was there, and is gone again", retryable=True)
        if stored is not None and stored["size"] != len(data):
            message = f"{printable(path)} has {stored['size']} bytes in {self._bucket.place} after {len(data)} were put"
            raise WriteError(message, retryable=True)

    def _is_there(self, path: bytes, data: bytes) -> bool:
        """Tell whether exactly ``data`` is at ``path``; ``WriteError`` with code ``exists`` when it is something else."""
        entry = self.stat(path)
        if entry is None:
            return False
        is_same = entry.size == len(data) and (entry.version.decode() == _md5(data) or self._read(path, len(data), {}) == data)
        if not is_same:
            raise occupied(path)
        return True

    def compare_and_swap(self, path: bytes, data: bytes, *, expected: ObjectVersion | None) -> ObjectVersion | None:
        """Put ``data`` if what is at ``path`` is still marked ``expected`` (``None``: nothing is there); return the new mark.

        ``None`` when somebody else was there before: exactly one of several who try at once succeeds.
        """
        key = key_of(relative(path))
        refused = self._bucket.library.exceptions
        mode: object = (
            "create" if expected is None else {name: each for name, each in msgspec.structs.asdict(expected).items() if each}
        )
        with self._translating_errors(path, errors.write_error):
            try:
                return _object_version(self._bucket.library.put(self._bucket.store, key, data, mode=mode, use_multipart=False))
            except (refused.AlreadyExistsError, refused.PreconditionError, FileNotFoundError):
                return None

    def read_with_version(self, path: bytes, *, limit: int) -> tuple[bytes, ObjectVersion]:
        """Return the content of ``path`` and the mark that it has."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error):
            found = self._bucket.library.get(self._bucket.store, key)
            if found.meta["size"] > limit:
                raise _too_large(path, found.meta["size"], limit)
            return bytes(found.bytes()), _object_version(found.meta)

    def upload(self, path: bytes, file: Path) -> None:
        """Put the content of ``file``, which need not fit into memory, whole or not at all."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.write_error):
            self._bucket.library.put(self._bucket.store, key, file, chunk_size=PART, max_concurrency=2)

    def download(self, path: bytes, file: Path) -> None:
        """Write the content of ``path`` to ``file``, a part at a time; ``file`` is complete when this returns."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error), file.open("wb") as target:
            found = self._bucket.library.get(self._bucket.store, key)
            for part in found.stream(min_chunk_size=PART):
                target.write(part)
            written = target.tell()
        if written != found.meta["size"]:
            raise ReadError(f"{printable(path)} ended after {written} of {found.meta['size']} bytes", retryable=True)

    def delete(self, path: bytes) -> None:
        """Remove an object, if it is there."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.write_error):
            try:
                self._bucket.library.delete(self._bucket.store, key)
            except FileNotFoundError:
                return

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # a store has no links
    ) -> Iterator[Listing]:
        """Yield the objects below ``under``, folder by folder; ``RunError`` when the store cannot be listed at all."""
        return BucketWalk(self._page, descend, on_error).listings(relative(under) if under else b"")

    def local_path(self, path: bytes) -> None:
        """Return ``None``: nothing here has a place in the file system."""
        relative(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # nothing is told apart
        """Return 0: an unfinished put is nowhere. obstore cannot list the parts of a large one: the bucket's rules remove them."""
        return 0

    def _read(self, path: bytes, limit: int, options: dict[str, object]) -> bytes:
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error):
            found = self._bucket.library.get(self._bucket.store, key, options=options)
            size = found.meta["size"]
            data = bytes(found.bytes()) if size <= limit else b""
        if size > limit:
            raise _too_large(path, size, limit)
        if len(data) != size:
            raise ReadError(f"{printable(path)} ended after {len(data)} of {size} bytes", retryable=True)
        return data

    @contextmanager
    def _translating_errors(self, path: bytes, meaning: Meaning) -> Iterator[None]:
        try:
            yield
        except PixmillError:
            raise
        except Exception as error:  # noqa: BLE001  # obstore raises its own, and several of Python's
            raise meaning(error, path, self._bucket.place) from None

    def _page(self, path: bytes) -> FolderListing:
        folder = PrefixListing(self._bucket, key_of(path) if path else "")
        try:
            while not self._patiently(path, folder.next_page):
                pass
        except ReadError as error:
            if error.retryable:
                raise
            self._patiently(path, folder.list_with_delimiter)  # a key further down is no path, which need not concern this folder
        entries = [_entry(path_of(each["path"]), each) for each in folder.objects.values()]
        return FolderListing(sorted(entries, key=_path), sorted(map(path_of, folder.folders)))

    def _patiently(self, path: bytes, request: Callable[[], bool]) -> bool:
        def explained() -> bool:
            with self._translating_errors(path, errors.list_error):
                return request()

        return self._patience.call(explained)


def _entry(path: bytes, found: Any) -> Entry:  # noqa: ANN401  # obstore's own type is not there at run time
    # without its quotes: Azure leaves them out of listings
    return Entry(path, found["size"], (found["e_tag"] or "").strip('"').encode())


def _object_version(found: Any) -> ObjectVersion:  # noqa: ANN401  # the same
    return ObjectVersion(found["e_tag"], found["version"])


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


def _too_large(path: bytes, size: int, limit: int) -> ReadError:
    return ReadError(f"{printable(path)} has {size} bytes, more than the limit of {limit}", code="limit-bytes")


def _path(entry: Entry) -> bytes:
    return entry.path
