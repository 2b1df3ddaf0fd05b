"""The blocks of a tar archive, byte for byte: the same whatever the machine, the user, the time and the version of Python.

The GNU format, which every reader knows: names longer than 100 bytes come in a member of their own before their file.
Names are the bytes that they are; nothing else of a header varies but the size.
"""

BLOCK = 512
END = bytes(2 * BLOCK)
_NAME_ROOM = 100
_OCTAL_LIMIT = 8**11
_LONG_NAME = b"././@LongLink"


def header(name: bytes, size: int) -> bytes:
    """Return what stands before the ``size`` bytes of a file called ``name``."""
    if len(name) < _NAME_ROOM:
        return _block(name, size, b"0")
    stored = name + b"\0"
    return _block(_LONG_NAME, len(stored), b"L") + stored + padding(len(stored)) + _block(name[: _NAME_ROOM - 1], size, b"0")


def padding(size: int) -> bytes:
    """Return what follows ``size`` bytes, up to the next block."""
    return bytes(-size % BLOCK)


def _block(name: bytes, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(_NAME_ROOM, b"\0"),
        b"0000644\0",  # everybody may read it, its owner write it
        b"0000000\0" * 2,  # user and group
        _number(size),
        b"00000000000\0",  # 1970
    )
    before, after = b"".join(fields), kind + bytes(100) + b"ustar  \0"
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return (before + b"%06o\0 " % checksum + after).ljust(BLOCK, b"\0")


def _number(size: int) -> bytes:
    """Return ``size`` in the 12 bytes of its field: octal, or binary beyond 8 GiB."""
    return b"%011o\0" % size if size < _OCTAL_LIMIT else b"\x80" + size.to_bytes(11, "big")
