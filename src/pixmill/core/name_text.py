"""File names as text for other programs: bytes that are not UTF-8 become ``%00E9``, as in the keys of objects."""

import re

_ESCAPE = "00[89A-F][0-9A-F]"  # no name contains a NUL, so that %00 is none of a URL
_LOOKS_ESCAPED = re.compile(f"%(?=(?:25)*{_ESCAPE})")
_ESCAPED = re.compile(f"%(?:25(?=(?:25)*{_ESCAPE})|({_ESCAPE}))")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTES = range(0xDC80, 0xDD00)  # what os.fsdecode makes of bytes that are not UTF-8


def name_text(name: bytes) -> str:
    """Return ``name`` as text that every JSON decoder reads, and that ``name_bytes`` converts back."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = name.decode("utf-8", "surrogateescape")
    return escaped(_LOOKS_ESCAPED.sub("%25", text) if "%" in text else text)


def escaped(text: str) -> str:
    """Return ``text``, such as a path from ``os.fsdecode``, without surrogates, which are no characters."""
    return text if text.isascii() else _SURROGATE.sub(_escape, text)


def name_bytes(text: str) -> bytes:
    """Return the name that ``name_text`` or, in earlier versions, ``os.fsdecode`` made ``text`` of."""
    return (_ESCAPED.sub(_read_escape, text) if "%" in text else text).encode("utf-8", "surrogateescape")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"%00{code - 0xDC00:02X}" if code in _BYTES else "\ufffd"


def _read_escape(match: re.Match[str]) -> str:
    return "%" if match[1] is None else chr(0xDC00 + int(match[1], 16))
