"""Tell by the content of a source whether it has changed since outputs were made from it, and which of them are still right."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from pixmill.batch.item import Item, Origin, OutputRecord, SourceRecord, output_fingerprint
from pixmill.batch.worker.options import HandlerOptions
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.storage.entry import Entry

DIGEST_BYTES = 16


def content_digest(source: Input) -> bytes:
    """Return the digest of the content of ``source``: SHA-256, which processors compute, cut to 16 bytes."""
    return content_sha256(source)[:DIGEST_BYTES]


def content_sha256(source: Input) -> bytes:
    """Return the SHA-256 of the content of ``source``, of which ``content_digest`` is the first half."""
    digest = sha256()
    for chunk in source.chunks():
        digest.update(chunk)
    return digest.digest()


def described(origin: Origin, sha256_of_source: bytes, header: Header) -> Origin:
    """Return ``origin``, which has half of this hash, with all of it, and with the size of the source by its ``header``."""
    width, height = header.upright
    record = msgspec.structs.replace(origin.source, digest_tail=sha256_of_source[DIGEST_BYTES:], width=width, height=height)
    return msgspec.structs.replace(origin, source=record)


def is_compared(item: Item, options: HandlerOptions) -> bool:
    """Tell whether the content must show if the source has changed: with ``--checksum``, or if only its change time did."""
    if item.earlier is None or not item.former:
        return False
    source = item.earlier.source
    if options.checksum or not options.has_change_times:
        return options.checksum
    return source.version == item.entry.version and source.has_other_change_time(item.entry.changed_at)


def with_current_fingerprints(item: Item, current: Sequence[bytes], options: HandlerOptions, digest: bytes | None) -> Item:
    """Return ``item`` so that those of its former outputs that are still right have their ``current`` fingerprint, one each.

    They are if the recipe is the same and the source is: by ``digest``, that of its content now, or by its size and version if the
    digest is ``None`` or there is none to compare it with. If the content differs, none is right.
    """
    source = item.earlier.source if item.earlier else SourceRecord()
    versions = [item]
    if digest is not None and source.digest:
        if digest != source.digest:
            outputs = tuple(msgspec.structs.replace(output, fingerprint=b"") for output in item.former)
            return msgspec.structs.replace(item, former=outputs)
        if not options.keep_mtime:  # else a new time makes another output
            entry = Entry(item.entry.path, item.entry.size, source.version)
            versions.append(msgspec.structs.replace(item, entry=entry))
    aliases = {
        output_fingerprint(version, index, rendition): current[index]
        for renditions in (options.fingerprints, *options.former_fingerprints)
        for index, rendition in enumerate(renditions)
        for version in versions
    }
    return msgspec.structs.replace(item, former=tuple(_renamed(output, aliases) for output in item.former))


def _renamed(output: OutputRecord, aliases: dict[bytes, bytes]) -> OutputRecord:
    fingerprint = aliases.get(output.fingerprint, output.fingerprint)
    return output if fingerprint == output.fingerprint else msgspec.structs.replace(output, fingerprint=fingerprint)
