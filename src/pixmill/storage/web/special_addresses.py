"""The addresses that are not those of hosts on the public internet: IANA's special-purpose registries, and two more.

The list is explicit, because what the standard library calls global depends on the release of Python.
"""

import ipaddress

_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared, behind a provider's NAT
            "127.0.0.0/8",  # this host
            "168.63.129.16/32",  # the platform of a cloud (Azure), for machines in it
            "169.254.0.0/16",  # link-local, and the metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols, and the metadata of a cloud (Oracle)
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all others are special: of this host or link, local, multicast, or not assigned
_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocols, with Teredo
            "2001:db8::/32",  # documentation
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
#: IPv6 addresses that lead to the IPv4 address in them, and how many bits follow it
_EMBEDDING = {
    ipaddress.IPv6Network("::ffff:0:0/96"): 0,  # mapped
    ipaddress.IPv6Network("64:ff9b::/96"): 0,  # NAT64
    ipaddress.IPv6Network("2002::/16"): 80,  # 6to4
}


def is_public(address: str) -> bool:
    """Tell whether ``address`` is that of a host on the public internet; one that embeds an IPv4 address is what that is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _V4)
    for network, bits in _EMBEDDING.items():
        if ip in network:
            return is_public(str(ipaddress.IPv4Address(int(ip) >> bits & 0xFFFFFFFF)))
    return ip in _UNICAST and not any(ip in network for network in _V6)
