"""Have the kernel refuse the system calls that a worker does not need, in every thread: the filter beside Landlock.

Landlock restricts paths, and does not know sockets other than TCP, programs, owners, modes, attributes and times of files. The
filter refuses these with EPERM, so that code that tries one fails as it does without the permission.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping

from pixmill.engine.resources.system_calls import ALWAYS, LIMITS, NETWORK, SIGNALS, TIMES, UNKNOWN, SystemCall

#: the number of ``seccomp`` itself, and how the kernel names the architecture in a call (seccomp(2), audit.h)
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_CALLS = 0x40000000  # on x86_64, a second table of the same calls begins here
_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
_FOR_ALL_THREADS = 1
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # the latter with the number of the error
#: offsets in what the filter sees; the last is the lower half of the argument, since both architectures are little-endian
_CALL, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # instructions (linux/filter.h)
_INSTRUCTION = struct.Struct("=HBBI")

Program = list[tuple[int, int, int, int]]


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_available() -> bool:
    """Return whether this kernel and architecture have the filter."""
    libc, number = _libc(), _SECCOMP.get(platform.machine())
    if libc is None or number is None:
        return False
    action = ctypes.c_uint32(_REFUSE)
    return bool(libc.syscall(number, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0)


def refuse_system_calls(*, network: bool, times: bool) -> bool:
    """Install the filter in all threads of this process, for good; return whether the kernel enforces it.

    It may still open connections with ``network``, and set times of files with ``times``. Needs ``PR_SET_NO_NEW_PRIVS`` or root.
    """
    libc, machine = _libc(), platform.machine()
    if libc is None or machine not in _SECCOMP:
        return False
    groups = (ALWAYS, {} if network else NETWORK, {} if times else TIMES)
    refused = [number for group in groups for number in _numbers(group, machine)]
    instructions = b"".join(_INSTRUCTION.pack(*each) for each in _program(machine, refused))
    program = _FilterProgram(len(instructions) // _INSTRUCTION.size, instructions)
    return bool(libc.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _FOR_ALL_THREADS, ctypes.byref(program)) == 0)


def _program(machine: str, refused: Iterable[int]) -> Program:
    """Return the filter: one comparison for each refused call, and the end of the decision right behind it."""
    program: Program = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),  # a call of another architecture, whose numbers differ
        (_LOAD, 0, 0, _CALL),
    ]
    if machine == "x86_64":
        program += [(_AT_LEAST, 0, 1, _X32_CALLS), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    for number in refused:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    for number in _numbers(UNKNOWN, machine):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    for calls, process in ((SIGNALS, os.getpid()), (LIMITS, 0)):
        for number in _numbers(calls, machine):
            program += [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _FIRST_ARGUMENT),
                (_EQUAL, 1, 0, process),
                (_RETURN, 0, 0, _REFUSE | errno.EPERM),
                (_RETURN, 0, 0, _ALLOW),
            ]
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _numbers(calls: Mapping[str, SystemCall], machine: str) -> Iterator[int]:
    return (number for call in calls.values() if (number := getattr(call, machine)) >= 0)


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
