"""What a worker gives up once its handler is loaded, so that a decoder that was taken over can do little.

All of this is a second line. The first is the coordinator: deadlines, memory, and SIGKILL from outside.
"""

import ctypes
import os
import resource
import stat
import struct
import sys
import time
from pathlib import Path

import msgspec

# Numbers of Linux, the same on every architecture that has them (landlock(7), prctl(2)).
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_FOR_VERSION, _BELOW_A_PATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
#: the rights that change a file system, with the version of landlock that knows them
_WRITES = {
    1: _WRITE_FILE | sum(1 << bit for bit in range(4, 13)),  # remove and make anything
    2: 1 << 13,  # move between folders
    3: _TRUNCATE,
}
_RULESET, _RULE = struct.Struct("=QQQ"), struct.Struct("=Qi")
_NETWORK, _SIGNALS = 0b11, 0b11  # bind and connect by TCP; abstract sockets, and signals to others
_WITH_NETWORK, _WITH_SIGNALS = 4, 6  # versions of landlock
_TIMES_THE_MEMORY, _RESERVED_BY_THREADS = 2, 4_000_000_000


class Sandbox(msgspec.Struct, frozen=True):
    """What a worker may do: write below the folders ``writable`` and nowhere else, and use the ``network`` or not."""

    writable: tuple[bytes, ...]
    network: bool = False


def enter_sandbox(to: Sandbox) -> bool:
    """Hold this process to ``to``, and let it signal nobody else.

    For good, and for every process that it starts. Return whether the kernel could do it; what it does not know is left out.
    Needs Linux 5.13 with landlock; files that are open already stay as they are.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION) if libc else 0
    if libc is None or version < 1:
        return False
    writes = sum(rights for since, rights in _WRITES.items() if since <= version)
    connects = _NETWORK if version >= _WITH_NETWORK and not to.network else 0
    signals = _SIGNALS if version >= _WITH_SIGNALS else 0
    asked = _RULESET.pack(writes, connects, signals)[: 8 if version < _WITH_NETWORK else 16 if version < _WITH_SIGNALS else 24]
    ruleset = libc.syscall(_CREATE_RULESET, asked, len(asked), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*to.writable, os.devnull.encode()):
            _allow(libc, ruleset, path, writes)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: bytes, writes: int) -> None:
    """Allow ``writes`` below a folder, or to a file, that is there."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there cannot be written to either
    try:
        rights = writes if stat.S_ISDIR(os.fstat(descriptor).st_mode) else writes & (_WRITE_FILE | _TRUNCATE)
        libc.syscall(_ADD_RULE, ruleset, _BELOW_A_PATH, _RULE.pack(rights, descriptor), 0)
    finally:
        os.close(descriptor)


def limit_address_space(memory: int) -> None:
    """Make an allocation fail that is beyond all reason: more than twice the ``memory`` (bytes) that there is.

    What threads reserve and never use comes on top: a thread that cannot be started takes the process down with it.
    """
    try:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return  # not Linux, or /proc is not there: what is mapped now is not known
    _lower(resource.RLIMIT_AS, mapped + _TIMES_THE_MEMORY * memory + _RESERVED_BY_THREADS)


def limit_processor_time(seconds: float) -> None:
    """Have the kernel end this process (SIGXCPU) when it has computed for ``seconds`` from now: the coordinator may be gone."""
    _lower(resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1)


def _lower(limit: int, value: int) -> None:
    """Set the soft limit, as far as the hard one allows."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
