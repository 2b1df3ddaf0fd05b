"""The request policy of a run: the hosts it may read from, and the rate of its requests."""

from typing import Self
from urllib.parse import parse_qsl, urlencode

import msgspec

from pixmill.core.errors import AddressError

PER_HOST = 8
READ_TIMEOUT = 10.0  # seconds


class RequestPolicy(msgspec.Struct, frozen=True):
    """The limits for requests to web servers.

    ``allow_private`` permits addresses that are not on the public internet. ``per_host`` is the number of concurrent requests to
    one host and ``rate`` the number per second (0: no limit), for all processes of this user on this machine together. A request
    fails after ``read_timeout`` seconds without a byte, or without a connection, and after ``timeout`` seconds in all (0: never).
    The policy is passed on as the fragment of an address, the part of a URL that is never sent to a server:
    ``https://example.org#per-host=2``.
    """

    allow_private: bool = False
    per_host: int = PER_HOST
    rate: float = 0.0
    read_timeout: float = READ_TIMEOUT
    timeout: float = 0.0

    @classmethod
    def parse(cls, fragment: str) -> Self:
        """Parse the fragment of an address; ``AddressError`` if it is not a valid policy."""
        try:
            settings = dict(parse_qsl(fragment, strict_parsing=True)) if fragment else {}
            policy = cls(
                allow_private=settings.pop("private", "0") == "1",
                per_host=int(settings.pop("per-host", PER_HOST)),
                rate=float(settings.pop("rate", 0)),
                read_timeout=float(settings.pop("read-timeout", READ_TIMEOUT)),
                timeout=float(settings.pop("timeout", 0)),
            )
        except ValueError:
            settings, policy = {}, None
        if policy is None or settings or policy.per_host < 1 or policy.rate < 0 or policy.read_timeout <= 0 or policy.timeout < 0:
            raise AddressError(f"expected settings such as private=1&per-host=4&rate=2 after the #, received {fragment!r}")
        return policy

    def __str__(self) -> str:
        """Return the fragment; empty for the default policy."""
        settings = {
            "private": "1" if self.allow_private else "",
            "per-host": self.per_host if self.per_host != PER_HOST else "",
            "rate": float(self.rate) or "",  # the text of a quantity has a unit
            "read-timeout": float(self.read_timeout) if self.read_timeout != READ_TIMEOUT else "",
            "timeout": float(self.timeout) or "",
        }
        return urlencode({name: value for name, value in settings.items() if value})
