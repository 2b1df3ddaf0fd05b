"""Addresses of the web: parsed, redirected, and shown without secrets."""

from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable

PORTS = {"http": 80, "https": 443}


class Url(msgspec.Struct, frozen=True):
    """A URL that can be asked for. ``target`` is what the server is sent: path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> "Url":
        """Take ``text`` apart; ``ReadError`` when it is no URL of the web, or one with a password in it."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = SplitResult("", "", "", "", ""), None, None
        if parts.scheme not in PORTS or not host or any(character <= " " or character == "\x7f" for character in text):
            raise ReadError(f"{redacted(text)} is no URL of the web", code="read-url")
        if parts.username is not None or parts.password is not None:
            raise ReadError(f"{redacted(text)} holds a user name or password, which would be seen by many", code="read-url")
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        return cls(parts.scheme, host, port or PORTS[parts.scheme], target if target.startswith("/") else "/" + target)

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != PORTS[self.scheme] else "")

    def __str__(self) -> str:
        """Return the whole URL."""
        return self.origin + self.target


def redacted(text: str) -> str:
    """Return a URL as it may be shown: without query and password, which may hold secrets."""
    scheme, mark, rest = text.partition("#")[0].partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return printable(f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}")


def redirected(url: Url, location: str) -> Url:
    """Return where ``location``, in an answer from ``url``, leads; ``ReadError`` when it may not be followed."""
    if not location:
        raise ReadError(f"{redacted(str(url))} was redirected to nowhere", code="read-url")
    try:
        target = Url.parse(urljoin(str(url), location.replace(" ", "%20")))
    except ValueError:
        raise ReadError(f"{redacted(str(url))} was redirected to what is no URL", code="read-url") from None
    if (url.scheme, target.scheme) == ("https", "http"):
        raise ReadError(f"{redacted(str(url))} was redirected from https to http", code="read-url")
    return target
