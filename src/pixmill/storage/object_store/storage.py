"""Objects below one prefix of one bucket, as a storage. The schemes choose the store."""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec

from pixmill.core.errors import ReadError, WriteError
from pixmill.core.text import printable
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, FileVersion, Listing
from pixmill.storage.object_store import errors
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.folder_parts import PartsPolicy
from pixmill.storage.object_store.folder_requests import FolderRequests, entry_of
from pixmill.storage.object_store.key_folders import KeyFolders
from pixmill.storage.object_store.key_listing import KeyPage
from pixmill.storage.object_store.key_stream import KeyStream, StreamPolicy
from pixmill.storage.object_store.keys import key_of
from pixmill.storage.object_store.walk import BucketWalk
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.storage import (
    FREE_NAME,
    FolderPart,
    ListingPolicy,
    Replacing,
    Scheme,
    WrittenFile,
    content_digest,
    no_op,
    occupied,
    too_large,
)

#: bytes; larger objects are uploaded in parts: a slow connection can send this much before the request times out
MULTIPART_THRESHOLD = 16 << 20
PART_SIZE = 8 << 20
MAX_CHECKS = 5  # of a path that other programs write to at the same time
CREATE = "create"  # obstore's condition that nothing exists at a path


class ObjectVersion(msgspec.Struct, frozen=True):
    """Identifies one upload of an object, so that the store can compare it with others."""

    e_tag: str | None = None
    version: str | None = None


class ObjectStorage(Scheme):
    """A bucket, or the part of it below a prefix. An upload is atomic, and durable when it returns; an entry's version is its ETag.

    The modification time of an object is that of its upload and cannot be set. ``matches_etags``: a condition can name the expected
    object by its ETag; otherwise it takes the version that the store gave it.
    """

    matches_etags: ClassVar[bool] = True

    def __init__(
        self, bucket: Bucket, *, listing_policy: ListingPolicy | None = None, key_range: tuple[str, str] = ("", "")
    ) -> None:
        """Send no request yet. ``listing_policy`` applies to listings; a ``RetryingStorage`` retries all other requests.

        ``key_range`` is that of ``between``.
        """
        self._bucket = bucket
        self._listing_policy: ListingPolicy = listing_policy or OutagePolicy()
        self._key_folders: KeyFolders | None = None
        self._range = key_range

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # no temporaries, no links
        """Return the storage at ``address``."""
        return cls(cls.bucket(address))

    @classmethod
    def bucket(cls, address: Address) -> Bucket:
        """Return the opened store without sending a request; ``AddressError`` or ``MissingExtra`` if it cannot be opened."""
        raise NotImplementedError

    def stat(self, path: bytes) -> Entry | None:
        """Return the object at ``path``, or ``None``."""
        existing = self._head(path)
        return None if existing is None else entry_of(path, existing)

    def modified_ns(self, path: bytes) -> int | None:
        """Return when the object was written."""
        existing = self._head(path)
        return None if existing is None else int(existing["last_modified"].timestamp() * 1_000_000_000)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content, all of one version even if the object is replaced meanwhile."""
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
            if entry is not None and not entry.size:  # an empty object has no byte for a range request
                return b""
            raise

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,  # noqa: ARG002  # always
        mtime_ns: int | None = None,  # noqa: ARG002  # it cannot be set
        on_sync: Callable[[], None] = no_op,  # noqa: ARG002  # there is no separate sync
        replacing: Replacing = FREE_NAME,
    ) -> FileVersion:
        """Upload ``data``, in parts if it is large, and verify that all of it has arrived.

        The request has the condition that the object does not exist, or is still the one that may be replaced. If the store says
        that it is not, it may be that the answer to an earlier attempt was lost: then these very bytes are there. An upload in
        parts has no condition: the path is checked first, and an object that appears there meanwhile is replaced.
        """
        is_conditional = replacing.is_conditional and len(data) <= MULTIPART_THRESHOLD and not replacing.others
        etag = next((each.version.etag for each in replacing.own if each.version.etag), b"") if self.matches_etags else b""
        expected = ObjectVersion(f'"{etag.decode()}"') if etag else None
        must_check = not replacing.others and (not is_conditional or bool(replacing.own and not etag))
        for _ in range(MAX_CHECKS):
            if must_check:
                existing = self._head(path)
                if existing is not None and self._is_same(path, existing, data):
                    return _file_version(existing)
                if existing is not None and not self._is_own(path, existing, replacing.own):
                    raise occupied(path, _file_version(existing), own=replacing.own)
                expected = None if existing is None else _object_version(existing)
            written = self._put(path, data, _mode(expected) if is_conditional else None)
            if written is not None:
                return written
            must_check = True
        raise WriteError(f"{printable(path)} was changed again and again while it was to be written", retryable=True)

    def _put(self, path: bytes, data: bytes, mode: object) -> FileVersion | None:
        """Upload ``data``; return ``None`` if the condition ``mode`` (``None``: no condition) is not met."""
        key, is_multipart = key_of(relative(path)), len(data) > MULTIPART_THRESHOLD
        exceptions = self._bucket.library.exceptions
        refusals = (exceptions.AlreadyExistsError, exceptions.PreconditionError, *((FileNotFoundError,) if mode != CREATE else ()))
        with self._translating_errors(path, errors.write_error):
            options = {} if mode is None else {"mode": mode}
            try:
                sent = self._bucket.library.put(
                    self._bucket.store, key, data, use_multipart=is_multipart, chunk_size=PART_SIZE, max_concurrency=2, **options
                )
            except refusals:
                if mode is None:
                    raise
                return None
            etag = (sent["e_tag"] or "").strip('"')
            stored = None if etag == _md5(data) else self._bucket.library.head(self._bucket.store, key)
        if stored is not None and stored["size"] != len(data):
            message = f"{printable(path)} has {stored['size']} bytes in {self._bucket.address} after {len(data)} were uploaded"
            raise WriteError(message, retryable=True)
        return FileVersion(len(data), etag=etag.encode()) if stored is None else _file_version(stored)

    def _head(self, path: bytes) -> Any:  # noqa: ANN401  # obstore's own type does not exist at run time
        """Return the metadata of the object at ``path``, or ``None``."""
        with self._translating_errors(path, errors.read_error):
            try:
                return self._bucket.library.head(self._bucket.store, key_of(relative(path)))
            except FileNotFoundError:
                return None

    def _is_same(self, path: bytes, existing: Any, data: bytes) -> bool:  # noqa: ANN401  # the same
        """Tell whether the object at ``path`` with the metadata ``existing`` contains exactly ``data``."""
        version = _file_version(existing)
        return version.size == len(data) and (version.etag.decode() == _md5(data) or self._read(path, len(data), {}) == data)

    def _is_own(self, path: bytes, existing: Any, own: Sequence[WrittenFile]) -> bool:  # noqa: ANN401  # the same
        """Tell whether the object at ``path`` is one of ``own``, by its ETag or its content, or what is left of one: empty."""
        version = _file_version(existing)
        if own and (not version.size or any(each.version == version for each in own)):
            return True
        digests = {each.digest for each in own if each.version.size == version.size}
        return bool(digests) and content_digest(self._read(path, version.size, {})) in digests

    def compare_and_swap(self, path: bytes, data: bytes, *, expected: ObjectVersion | None) -> ObjectVersion | None:
        """Write ``data`` if ``path`` still has the version ``expected`` (``None``: does not exist); return the new version.

        Return ``None`` if another writer was faster: of several concurrent writers, exactly one succeeds.
        """
        key = key_of(relative(path))
        exceptions = self._bucket.library.exceptions
        with self._translating_errors(path, errors.write_error):
            try:
                return _object_version(
                    self._bucket.library.put(self._bucket.store, key, data, mode=_mode(expected), use_multipart=False)
                )
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError, FileNotFoundError):
                return None

    def honours_conditions(self, path: bytes, policy: RetryPolicy) -> bool:
        """Tell whether the store refuses a write whose condition is not met, by writing a small object at ``path``.

        Afterwards it is deleted. Each request is retried by ``policy``; ``WriteError`` if the store does not respond.
        """
        first = policy.call(lambda: self._overwrite(path, b"first"))
        policy.call(lambda: self._overwrite(path, b"second"))
        try:
            modes = (CREATE, _mode(_object_version(first)))
            return all(policy.call(partial(self._put, path, b"third", mode)) is None for mode in modes)
        except WriteError as error:
            if error.retryable:
                raise
            return False  # it does not know the condition
        finally:
            policy.call(lambda: self.delete(path))

    def _overwrite(self, path: bytes, data: bytes) -> Any:  # noqa: ANN401  # obstore's own type does not exist at run time
        with self._translating_errors(path, errors.write_error):
            return self._bucket.library.put(self._bucket.store, key_of(relative(path)), data, use_multipart=False)

    def read_with_version(self, path: bytes, *, limit: int) -> tuple[bytes, ObjectVersion]:
        """Return the content of ``path`` and its version."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error):
            response = self._bucket.library.get(self._bucket.store, key)
            if response.meta["size"] > limit:
                raise too_large(path, response.meta["size"], limit)
            return bytes(response.bytes()), _object_version(response.meta)

    def upload(self, path: bytes, file: Path) -> None:
        """Upload the content of ``file``, which need not fit into memory, atomically."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.write_error):
            self._bucket.library.put(self._bucket.store, key, file, chunk_size=PART_SIZE, max_concurrency=2)

    def download(self, path: bytes, file: Path) -> None:
        """Write the content of ``path`` to ``file``, a part at a time; ``file`` is complete when this returns."""
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error), file.open("wb") as target:
            response = self._bucket.library.get(self._bucket.store, key)
            for part in response.stream(min_chunk_size=PART_SIZE):
                target.write(part)
            written = target.tell()
        if written != response.meta["size"]:
            raise ReadError(f"{printable(path)} ended after {written} of {response.meta['size']} bytes", retryable=True)

    def delete(self, path: bytes) -> None:
        """Remove an object, if it exists."""
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
        """Yield the objects below ``under``, folder by folder; ``RunError`` if the store cannot be listed at all."""
        return self._walk(None, descend, on_error).listings(relative(under) if under else b"")

    def list_parts(
        self,
        group: Callable[[bytes], bytes],
        *,
        folders_first: bool = True,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # the same
    ) -> Iterator[Listing]:
        """Yield the objects; a folder of more than one page comes in parts, as far as possible while it is being listed."""
        policy = self._listing_policy
        parts = PartsPolicy(group, is_urgent=policy.idles, folders_first=folders_first)
        if self._bucket.keys is None:
            return self._walk(parts, descend, on_error).listings(b"")

        def by_folders(
            descend: Callable[[bytes], bool], on_error: Callable[[bytes, ReadError], None] | None, page: KeyPage | None
        ) -> Iterator[Listing]:
            walk = self._walk(parts, descend, on_error)
            if page is not None and self._key_folders is not None:
                self._key_folders.add("", page)
            return walk.listings(b"")

        retried = FolderRequests(self._bucket, None, policy, parts).retried
        stream = StreamPolicy(parts, descend, on_error, policy.idles, retried)
        return KeyStream(self._bucket.keys, stream, by_folders, key_range=self._range).listings()

    def list_from(self, path: bytes) -> FolderPart | None:
        """Return the page of all keys from ``path`` on."""
        if self._bucket.keys is not None and self._key_folders is None:
            self._key_folders = KeyFolders(self._bucket.keys)
        return FolderRequests(self._bucket, self._key_folders, self._listing_policy, None).list_from(relative(path))

    def _walk(
        self,
        parts: PartsPolicy | None,
        descend: Callable[[bytes], bool] | None,
        on_error: Callable[[bytes, ReadError], None] | None,
    ) -> BucketWalk:
        policy = self._listing_policy
        if self._bucket.keys is not None and (self._key_folders is None or not policy.reuses):
            self._key_folders = KeyFolders(self._bucket.keys)
        requests = FolderRequests(self._bucket, self._key_folders, policy, parts)
        return BucketWalk(requests.list_folder, descend, on_error, idles=policy.idles)

    def between(self, first: str, last: str) -> Self | None:
        """Return the same bucket, of which ``list_parts`` yields only keys from ``first`` on and before ``last``."""
        if self._bucket.keys is None:
            return None
        return type(self)(self._bucket, listing_policy=self._listing_policy, key_range=(first, last))

    def retry_listings(self, policy: ListingPolicy) -> None:
        """Retry each request of a listing by ``policy``."""
        self._listing_policy = policy

    def local_path(self, path: bytes) -> None:
        """Return ``None``: an object has no path in the file system."""
        relative(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # there are no temporaries
        """Return 0: an unfinished upload is invisible. obstore cannot list its parts; the bucket's lifecycle rules remove them."""
        return 0

    def _read(self, path: bytes, limit: int, options: dict[str, object]) -> bytes:
        key = key_of(relative(path))
        with self._translating_errors(path, errors.read_error):
            response = self._bucket.library.get(self._bucket.store, key, options=options)
            size = response.meta["size"]
            data = bytes(response.bytes()) if size <= limit else b""
        if size > limit:
            raise too_large(path, size, limit)
        if len(data) != size:
            raise ReadError(f"{printable(path)} ended after {len(data)} of {size} bytes", retryable=True)
        return data

    def _translating_errors(self, path: bytes, translate: errors.Translation) -> AbstractContextManager[None]:
        return errors.translating(translate, path, self._bucket.address)


def _file_version(meta: Any) -> FileVersion:  # noqa: ANN401  # the same
    entry = entry_of(b"", meta)
    return FileVersion(entry.size, etag=entry.version)


def _mode(expected: ObjectVersion | None) -> object:
    """Return obstore's condition that the object has the version ``expected``, or does not exist."""
    return CREATE if expected is None else {name: each for name, each in msgspec.structs.asdict(expected).items() if each}


def _object_version(meta: Any) -> ObjectVersion:  # noqa: ANN401  # the same
    return ObjectVersion(meta["e_tag"], meta["version"])


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()
