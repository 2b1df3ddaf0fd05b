"""Resolve a host to the addresses that may be connected to.

The author of a list of URLs, or a server that redirects, must not reach targets that only this machine can reach: its own
services, its neighbours, the metadata of its cloud. A name is resolved once, its addresses are checked, and connections go
only to those: a second lookup could return others.
"""

import socket
from collections.abc import Callable

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.web.special_addresses import is_public

Lookup = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of ``host`` in the order in which they should be tried; ``OSError`` if there are none."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in results))


def allowed_addresses(host: str, port: int, *, allow_private: bool, lookup: Lookup = resolve) -> list[str]:
    """Return the addresses of ``host`` that may be connected to: all with ``allow_private``, else those on the public internet.

    ``ReadError`` ``read-private`` if none is left; it names no address, which would tell a stranger about this network.
    """
    try:
        addresses = lookup(host, port)
    except OSError as error:
        is_transient = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise ReadError(f"the host {printable(host)} cannot be found", code="read-host", retryable=is_transient) from None
    except UnicodeError:  # a label that is empty or too long
        raise ReadError(f"{printable(host)!r} is not a valid host name", code="read-host") from None
    allowed = addresses if allow_private else [address for address in addresses if is_public(address)]
    if not allowed:
        raise ReadError(
            f"{printable(host)} is not on the public internet",
            code="read-private",
            hint="if you trust the author of the list, and every server in it, with this network",
            options={"allow_private_hosts": True},
        )
    return allowed
