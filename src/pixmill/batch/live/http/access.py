"""Who may look: whoever is on this machine, and from elsewhere whoever has the token.

A web page of somebody else cannot: its browser sends no cookie of ours with its requests, and a name that it has rebound to this
machine's address (https://en.wikipedia.org/wiki/DNS_rebinding) is none that we answer to.
"""

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie

from pixmill.core.endpoint import Endpoint

LOCALHOST = "localhost"


class AccessControl:
    """Checks every question before it is answered. ``token`` is empty where none is needed."""

    def __init__(self, endpoint: Endpoint, *, token: str, names: Collection[str] = ()) -> None:
        """Answer to addresses, to ``localhost``, to the name that ``endpoint`` was given, and to ``names``."""
        self.token = token
        self._names = {LOCALHOST, endpoint.host.lower(), *(name.lower() for name in names)}
        self._port = endpoint.port

    @property
    def cookie(self) -> str:
        """Return the name of the cookie that holds the token: one for each port, which browsers do not tell apart."""
        return f"pixmill-{self._port}"

    def is_own_host(self, host: str) -> bool:
        """Tell whether ``host``, the header, is an address or a name of this machine. An address cannot be rebound."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return _is_address(name.strip("[]")) or name.lower().rstrip(".") in self._names

    def is_authorised(self, *, query: str = "", cookies: str = "", authorization: str = "") -> bool:
        """Tell whether one of them holds the token."""
        kept = _cookies(cookies).get(self.cookie)
        offered = (query, kept.value if kept else "", authorization.removeprefix("Bearer ").strip())
        return not self.token or any([self._is_token(each) for each in offered])  # noqa: C419  # each is compared, whatever the others were

    def _is_token(self, offered: str) -> bool:
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self.token.encode())


def access_control(endpoint: Endpoint) -> AccessControl:
    """Return the guard of ``endpoint``, with a new token where other machines can reach it."""
    token = "" if is_loopback(endpoint.host) else secrets.token_urlsafe(24)
    return AccessControl(endpoint, token=token, names={socket.gethostname()})


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach ``host``."""
    return host == LOCALHOST or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def reachable(host: str) -> str:
    """Return by what name others reach ``host``: the machine's own where it stands for all of its addresses."""
    return socket.gethostname() if _is_address(host) and ipaddress.ip_address(host).is_unspecified else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookies(header: str) -> SimpleCookie:
    try:
        return SimpleCookie(header)
    except CookieError:
        return SimpleCookie()
