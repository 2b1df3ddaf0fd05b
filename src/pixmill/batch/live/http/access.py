"""Access control: the live page is open to clients on this machine, and to remote clients with the token.

A foreign web page has no access: the browser does not send our cookie with its requests, and we do not answer to a host name
that it has rebound to this machine's address (https://en.wikipedia.org/wiki/DNS_rebinding).
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
    """Checks every request before it is answered. ``token`` is empty if none is needed."""

    def __init__(self, endpoint: Endpoint, *, token: str, names: Collection[str] = ()) -> None:
        """Answer to IP addresses, to ``localhost``, to the host name of ``endpoint``, and to ``names``."""
        self.token = token
        self._names = {LOCALHOST, endpoint.host.lower(), *(name.lower() for name in names)}
        self._port = endpoint.port

    @property
    def cookie(self) -> str:
        """Return the name of the cookie with the token. It contains the port, because browsers share cookies between ports."""
        return f"pixmill-{self._port}"

    def is_own_host(self, host: str) -> bool:
        """Return whether ``host``, the header, is an IP address or a name of this machine. An IP address cannot be rebound."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        return _is_address(name.strip("[]")) or name.lower().rstrip(".") in self._names

    def is_authorised(self, *, query: str = "", cookies: str = "", authorization: str = "") -> bool:
        """Return whether one of the arguments contains the token."""
        cookie = _cookies(cookies).get(self.cookie)
        offered = (query, cookie.value if cookie else "", authorization.removeprefix("Bearer ").strip())
        return not self.token or any([self._is_token(each) for each in offered])  # noqa: C419  # always compare all three

    def _is_token(self, offered: str) -> bool:
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self.token.encode())


def access_control(endpoint: Endpoint) -> AccessControl:
    """Return the access control of ``endpoint``, with a new token if other machines can reach it."""
    token = "" if is_loopback(endpoint.host) else secrets.token_urlsafe(24)
    return AccessControl(endpoint, token=token, names={socket.gethostname()})


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    return host == LOCALHOST or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def reachable(host: str) -> str:
    """Return the name by which others reach ``host``: this machine's host name if ``host`` means all of its addresses."""
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
