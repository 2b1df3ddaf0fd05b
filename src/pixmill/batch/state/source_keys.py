"""The keys of images in the ledger, which tell the sources of an output apart.

The images of the first source have their path as the key; those of any other source have the place of the source before it, so that
equal paths of two sources are two images.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

FIRST = b""  # the prefix of the first source


class SourceKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The ``prefixes`` of the keys of sources, by place. ``moved_from``: where this source was until now, when it has moved."""

    prefixes: dict[bytes, bytes]
    moved_from: bytes = b""

    def path(self, key: bytes) -> bytes:
        """Return the path of an image in its place."""
        return key[len(self.prefix(key)) :]

    def prefix(self, key: bytes) -> bytes:
        """Return the prefix of ``key``."""
        return max((prefix for prefix in self.prefixes.values() if key.startswith(prefix)), key=len, default=FIRST)

    def adding(self, places: Sequence[bytes], *, has_unique_paths: bool) -> "SourceKeys":
        """Return these keys with prefixes for new ``places``.

        The first source has none, unless paths in its places may be equal.
        """
        first = places if has_unique_paths and not self.prefixes else ()
        new = [place for place in places if place not in self.prefixes]
        prefixes = {place: FIRST if place in first else default_prefix(place) for place in new}
        return SourceKeys(prefixes={**self.prefixes, **prefixes}, moved_from=self.moved_from)

    def naming(self, place: bytes, others: Iterable[bytes]) -> "SourceKeys":
        """Return these keys with the prefix of ``place`` for those of ``others`` that have none."""
        prefix = self.prefixes[place]
        return SourceKeys(prefixes={**dict.fromkeys(others, prefix), **self.prefixes}, moved_from=self.moved_from)


def default_prefix(place: bytes) -> bytes:
    """Return the prefix of a source that is not the first: like that of no path, which neither begins with / nor contains ://."""
    is_name = not place.startswith(b"/") and b":/" not in place  # given with --source-id
    prefix = b"//" + place if is_name else place
    return prefix if prefix.endswith(b"/") else prefix + b"/"


def combined(parts: Iterable[Mapping[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the prefixes that several ledgers of an output have noted; the first that knows a place is right."""
    prefixes: dict[bytes, bytes] = {}
    for part in parts:
        prefixes = {**part, **prefixes}
    return prefixes
