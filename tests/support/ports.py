"""Ports on the loopback interface that are free, for the servers of tests."""

import random
import socket
from itertools import islice

HOST = "127.0.0.1"
# below the ports that the system gives to connections (from 32,768 on), which took those that a server was about to listen on
_CHOICE = range(10_000, 20_000)


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, and that are free again 10,000 above: servers with a second one have it there."""
    shuffled = random.SystemRandom().sample(_CHOICE, len(_CHOICE))  # no other test process draws the same
    return list(islice((port for port in shuffled if _is_free(port) and _is_free(port + len(_CHOICE))), count))


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
