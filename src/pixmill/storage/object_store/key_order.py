"""The order in which a store lists its keys: by their bytes, as S3 documents it, or folder by folder, as SeaweedFS does.

In both, all keys below a folder follow each other. ``a-1.jpg`` comes before ``a/2.jpg`` by bytes, and after it by folders.
"""

from collections.abc import Sequence
from itertools import pairwise

from pixmill.storage.object_store.key_listing import ListedKey

_LAST_SURROGATE, _LAST_BEFORE_SURROGATES = 0xDFFF, 0xD7FF  # a key has no surrogates


def before(key: str) -> str:
    """Return a text that sorts before ``key``, and after all other keys that do."""
    code = ord(key[-1]) - 1
    return key[:-1] + chr(code if code != _LAST_SURROGATE else _LAST_BEFORE_SURROGATES) + "\U0010ffff"


def _by_folders(key: str) -> str:
    """Return a text that sorts as the parts of ``key`` do: nothing is lower than the end of a part."""
    return key.replace("/", "\0")


class KeyOrder:
    """Which orders are possible after the keys that have been seen: at first both."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.may_be_bytes = self.may_be_folders = True

    @property
    def is_any(self) -> bool:
        """Tell whether the store keeps to one of the orders, as far as is known."""
        return self.may_be_bytes or self.may_be_folders

    def note(self, keys: Sequence[ListedKey], last: str = "") -> bool:
        """Note ``keys``, which were listed after the key ``last``; return whether an order is left."""
        texts = [last, *(each.key for each in keys)]
        if self.may_be_bytes:
            self.may_be_bytes = _is_ascending(texts)
        if self.may_be_folders:
            self.may_be_folders = _is_ascending([*map(_by_folders, texts)])
        return self.is_any

    def covers(self, first: str, last: str | None, key: str) -> bool:
        """Tell whether ``key`` would be among the keys from ``first`` to ``last`` (``None``: the end) in every possible order."""
        if self.may_be_bytes and not (first <= key and (last is None or key <= last)):
            return False
        if not self.may_be_folders:
            return self.may_be_bytes
        key = _by_folders(key)
        return _by_folders(first) <= key and (last is None or key <= _by_folders(last))


def _is_ascending(texts: Sequence[str]) -> bool:
    return all(a < b for a, b in pairwise(texts))
