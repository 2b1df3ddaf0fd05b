"""Make untrusted text, above all file names, safe to print: it cannot control a terminal or forge a line of a log."""

import os
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ESCAPED_BYTES = range(0xDC80, 0xDD00)


def printable(text: bytes | str | os.PathLike[str]) -> str:
    r"""Return ``text`` on one line, with every invisible character written as an escape: ``\n``, ``\x1b``, ``\u202e``.

    Bytes are decoded as UTF-8; invalid ones, and the surrogates that ``os.fsdecode`` makes of them, become ``\xff``.
    For people, not for machines: backslashes in the text are not doubled, so the result is ambiguous.
    """
    plain = os.fspath(text)
    if isinstance(plain, bytes):
        plain = plain.decode("utf-8", "surrogateescape")
    return plain if plain.isprintable() else "".join(map(_visible, plain))


def _visible(character: str) -> str:
    if ord(character) in _ESCAPED_BYTES:
        return f"\\x{ord(character) - 0xDC00:02x}"
    if unicodedata.category(character) in _INVISIBLE:
        return character.encode("unicode_escape").decode("ascii")
    return character
