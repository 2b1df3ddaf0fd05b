"""Make untrusted text, above all file names, safe to print: it cannot control a terminal or forge a line of a log.

And no web address shows what only its owner should know.
"""

import os
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ESCAPED_BYTES = range(0xDC80, 0xDD00)
_WEB = ("http://", "https://")


def printable(text: bytes | str | os.PathLike[str]) -> str:
    r"""Return ``text`` on one line, with every invisible character written as an escape: ``\n``, ``\x1b``, ``\u202e``.

    Bytes are decoded as UTF-8; invalid ones, and the surrogates that ``os.fsdecode`` makes of them, become ``\xff``.
    A web address loses its query and password: see ``redacted``. For people, not for machines: backslashes in the text are not
    doubled, so the result is ambiguous.
    """
    plain = os.fspath(text)
    if isinstance(plain, bytes):
        plain = plain.decode("utf-8", "surrogateescape")
    if has_secret(plain):
        return redacted(plain)
    return plain if plain.isprintable() else "".join(map(_visible, plain))


def redacted(url: str) -> str:
    """Return a URL that is safe to print: without query and password, which may contain secrets."""
    scheme, separator, location = url.partition("#")[0].partition("?")[0].partition("://")
    host, slash, path = location.partition("/")
    return printable(f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}")


def has_secret(text: str) -> bool:
    """Tell whether ``text`` is a web address with a part that may be a secret: a query, such as a signature, or a password."""
    return text[:8].lower().startswith(_WEB) and ("?" in text or "@" in text.split("/", 3)[2])


def _visible(character: str) -> str:
    if ord(character) in _ESCAPED_BYTES:
        return f"\\x{ord(character) - 0xDC00:02x}"
    if unicodedata.category(character) in _INVISIBLE:
        return character.encode("unicode_escape").decode("ascii")
    return character
