"""URLs: parsed and redirected."""

from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import redacted

PORTS = {"http": 80, "https": 443}


class Url(msgspec.Struct, frozen=True):
    """A URL that can be requested. ``target`` is the part that is sent to the server: path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> "Url":
        """Parse ``text``; ``ReadError`` if it is not a URL with ``http://`` or ``https://``, or contains a password."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = SplitResult("", "", "", "", ""), None, None
        if parts.scheme not in PORTS or not host or any(character <= " " or character == "\x7f" for character in text):
            raise ReadError(f"{redacted(text)} is not a valid http:// or https:// URL", code="read-url")
        if parts.username is not None or parts.password is not None:
            message = f"{redacted(text)} contains a user name or password, which would appear in logs and reports"
            raise ReadError(message, code="read-url", hint="remove it from the URL")
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        return cls(parts.scheme, host, port or PORTS[parts.scheme], target if target.startswith("/") else "/" + target)

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")

    def __str__(self) -> str:
        """Return the complete URL."""
        return self.origin + self.target


def redirected(url: Url, location: str) -> Url:
    """Return the target of a redirect from ``url`` to ``location``; ``ReadError`` if it must not be followed."""
    if not location:
        raise ReadError(f"{redacted(str(url))} was redirected without a target", code="read-url")
    try:
        target = Url.parse(urljoin(str(url), location.replace(" ", "%20")))
    except ValueError:
        raise ReadError(f"{redacted(str(url))} was redirected to an invalid URL", code="read-url") from None
    if (url.scheme, target.scheme) == ("https", "http"):
        raise ReadError(f"{redacted(str(url))} was redirected from https to http, which is not encrypted", code="read-url")
    return target
