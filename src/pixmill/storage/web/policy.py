"""On which terms servers are asked: what a run allows itself."""

from typing import Self
from urllib.parse import parse_qsl, urlencode

import msgspec

from pixmill.core.errors import AddressError

PER_HOST = 8


class RequestPolicy(msgspec.Struct, frozen=True):
    """What is allowed, and how much of it.

    ``private`` allows addresses that are not of the public internet. ``per_host`` is how many requests one host gets at a
    time and ``rate`` how many a second (0: as many as come), from all processes of this user on this machine together.
    They travel as the fragment of an address, the part of a URL that no server is ever sent: ``https://example.org#per-host=2``.
    """

    allow_private: bool = False
    per_host: int = PER_HOST
    rate: float = 0.0

    @classmethod
    def parse(cls, fragment: str) -> Self:
        """Read the fragment of an address; ``AddressError`` when it holds no terms."""
        try:
            given = dict(parse_qsl(fragment, strict_parsing=True)) if fragment else {}
            terms = cls(
                allow_private=given.pop("private", "0") == "1",
                per_host=int(given.pop("per-host", PER_HOST)),
                rate=float(given.pop("rate", 0)),
            )
        except ValueError:
            given, terms = {}, None
        if terms is None or given or terms.per_host < 1 or terms.rate < 0:
            raise AddressError(f"expected terms such as private=1&per-host=4&rate=2 behind the #, received {fragment!r}")
        return terms

    def __str__(self) -> str:
        """Return the fragment; empty for the terms that hold anyway."""
        told = {
            "private": "1" if self.allow_private else "",
            "per-host": self.per_host if self.per_host != PER_HOST else "",
            "rate": self.rate or "",
        }
        return urlencode({name: value for name, value in told.items() if value})
