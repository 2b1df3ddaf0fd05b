"""The address a server listens on: ``9400`` (this machine only), ``0.0.0.0:9400``, ``[::]:9400``."""

import re
from typing import ClassVar, Self

LOOPBACK = "127.0.0.1"
_MAX_PORT = 65535


class Endpoint:
    """A host and a port. The default host is the loopback address, so only this machine can connect. Port 0 means any free port."""

    __slots__ = ("host", "port")
    expected: ClassVar[str] = "a port such as 9400, or an address and a port such as 0.0.0.0:9400"
    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"(?:(?P<host>[^\s:\[\]]+|\[[0-9a-fA-F:.]+\]):)?(?P<port>\d{1,5})")

    def __init__(self, port: int, *, host: str = LOOPBACK) -> None:
        """Store both without checking them."""
        self.host = host
        self.port = port

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``; ``ValueError`` if it is not an endpoint."""
        match = None if isinstance(value, bool) else cls._pattern.fullmatch(str(value).strip())
        if match is None or int(match["port"]) > _MAX_PORT:
            raise ValueError(cls.expected)
        return cls(int(match["port"]), host=(match["host"] or LOOPBACK).strip("[]"))

    def to_builtin(self) -> str:
        """Return the canonical text, which parses back to the same value."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text inside the class name."""
        return f"Endpoint({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Endpoint) and (self.host, self.port) == (other.host, other.port)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash((self.host, self.port))
