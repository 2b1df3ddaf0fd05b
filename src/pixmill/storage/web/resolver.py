"""Which addresses of a host may be connected to.

Whoever writes a list of URLs, or answers with a redirection, must not reach what only this machine can: its own services,
its neighbours, the metadata of its cloud. A name is looked up once, its addresses are checked, and exactly those are
connected to: a second look-up could be answered with others.
"""

import ipaddress
import socket
from collections.abc import Callable

from pixmill.core.errors import ReadError
from pixmill.core.text import printable

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], list[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address is in the last four bytes


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of ``host`` in the order in which they should be tried; ``OSError`` when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def allowed_addresses(host: str, port: int, *, private: bool, lookup: Lookup = resolve) -> list[str]:
    """Return the addresses of ``host`` that may be connected to: with ``private`` all, else those of the public internet.

    ``ReadError`` ``read-private`` when none is left; it names no address, which would tell a stranger about this network.
    """
    try:
        addresses = lookup(host, port)
    except OSError as error:
        passes = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise ReadError(f"the host {printable(host)} cannot be found", code="read-host", retryable=passes) from None
    except UnicodeError:  # a label that is empty or too long
        raise ReadError(f"{printable(host)!r} is no name of a host", code="read-host") from None
    allowed = addresses if private else [address for address in addresses if is_public(address)]
    if not allowed:
        raise ReadError(
            f"{printable(host)} is not on the public internet",
            code="read-private",
            hint="--allow-private-hosts, if whoever wrote the list, and every server that it names, may reach this network",
        )
    return allowed


def is_public(address: str) -> bool:
    """Tell whether ``address`` is one of the public internet, also where it is wrapped in one of IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return all(each.is_global and not each.is_multicast for each in (ip, *_wrapped(ip)))


def _wrapped(ip: IP) -> list[IP]:
    """Return the addresses of IPv4 that one of IPv6 leads to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    teredo = ip.teredo[1] if ip.teredo else None
    return [each for each in (ip.ipv4_mapped, ip.sixtofour, teredo, nat64) if each is not None]
