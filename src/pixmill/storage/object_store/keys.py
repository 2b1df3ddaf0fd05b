"""Lossless conversion between paths, which are bytes, and keys of objects, which are text without control characters.

Bytes that a key cannot contain are escaped: ``%0A`` for a control character, ``%00E4`` for a byte that is not UTF-8 (a path
never contains a NUL). A percent sign is escaped only where it would be read as the start of such an escape, so that keys
written by other programs, such as ``100%`` and ``a%20b``, stay unchanged.
"""

import re

_ESCAPE = "(?:0[1-9A-F]|1[0-9A-F]|7F|00[89A-F][0-9A-F])"
_LOOKS_ESCAPED = re.compile(f"%(?=(?:25)*{_ESCAPE})")
_ESCAPED = re.compile(f"%(?:25(?=(?:25)*{_ESCAPE})|({_ESCAPE}))")
_IMPOSSIBLE = re.compile("[\x01-\x1f\x7f\udc80-\udcff]")
_BYTES = 0xDC00  # added by os.fsdecode to a byte that is not UTF-8


def key_of(path: bytes) -> str:
    """Return the key of the object at ``path``."""
    text = path.decode("utf-8", "surrogateescape")
    return _IMPOSSIBLE.sub(_escape, _LOOKS_ESCAPED.sub("%25", text))


def path_of(key: str) -> bytes:
    """Return the path of the object with this ``key``."""
    return _ESCAPED.sub(_read_escape, key).encode("utf-8", "surrogateescape") if "%" in key else key.encode()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"%00{code - _BYTES:02X}" if code > _BYTES else f"%{code:02X}"


def _read_escape(match: re.Match[str]) -> str:
    escape = match[1]
    if escape is None:
        return "%"
    return chr(_BYTES + int(escape[-2:], 16)) if escape.startswith("00") else chr(int(escape, 16))
