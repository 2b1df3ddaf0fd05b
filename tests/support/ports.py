"""Free ports on the loopback interface, for the servers of tests."""

import random
import socket
from itertools import islice

HOST = "127.0.0.1"
# below the ephemeral ports (from 32,768), which the system may assign to a connection before the server listens
_CHOICE = range(10_000, 20_000)


def free_ports(count: int) -> list[int]:
    """Return ``count`` free ports whose port 10,000 above is free too, for servers that use it as a second port."""
    shuffled = random.SystemRandom().sample(_CHOICE, len(_CHOICE))  # a different order in each test process
    return list(islice((port for port in shuffled if _is_free(port) and _is_free(port + len(_CHOICE))), count))


def free_port() -> int:
    """Return one free port."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
