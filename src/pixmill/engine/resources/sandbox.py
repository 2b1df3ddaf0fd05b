"""Rights that a worker drops once its handler is loaded, so that a compromised decoder can do little.

This is the second line of defence. The first is the coordinator: deadlines, memory limits, and SIGKILL from outside.
"""

import ctypes
import errno
import mmap
import os
import stat
import struct
import sys
import time
from pathlib import Path

import msgspec

from pixmill.core.operating_system import lower_limit
from pixmill.engine.resources.seccomp import is_available, refuse_system_calls

# Linux system call and option numbers, identical on all architectures that support Landlock (landlock(7), prctl(2)).
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION, _RULE_PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
#: rights to change a file system, by the Landlock version that introduced them
_WRITE_RIGHTS = {
    1: _WRITE_FILE | sum(1 << bit for bit in range(4, 13)),  # remove and create entries
    2: 1 << 13,  # move between directories
    3: _TRUNCATE,
}
_RULESET, _RULE = struct.Struct("=QQQ"), struct.Struct("=Qi")
_TCP_RIGHTS, _SCOPES = 0b11, 0b11  # TCP bind and connect; abstract Unix sockets and signals to other processes
_TRUNCATE_VERSION, _TCP_VERSION, _SCOPE_VERSION = 3, 4, 6  # the Landlock versions that introduced them
_CAPABILITY_VERSION, _CAPABILITIES = 0x20080522, struct.Struct("=6I")  # capabilities(7)
_FILE_CAPABILITIES = 0b1110  # to read and write files of others, and to change their times
_FAULTS_OF_SYSTEM = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # rather than of a path
_MEMORY_FACTOR, _THREAD_RESERVE = 2, 4_000_000_000  # bytes


class Sandbox(msgspec.Struct, frozen=True):
    """The rights of a worker.

    It may write below the directories ``writable`` and in that for temporary files only, use the ``network`` or not, and set the
    ``times`` of files or not.
    """

    writable: tuple[bytes, ...]
    network: bool = False
    times: bool = False


def enter_sandbox(sandbox: Sandbox) -> bool:
    """Restrict this process to ``sandbox``, in all its threads, and forbid it to start programs or touch other processes.

    Cannot be undone. Returns whether the kernel restricts writing; what the kernel does not know stays unrestricted, as ``gaps``
    says. Files that are already open are not affected.
    """
    is_restricted = _restrict_paths(sandbox)
    _drop_capabilities()
    refuse_system_calls(network=sandbox.network, times=sandbox.times)
    return is_restricted


def gaps() -> tuple[str, ...]:
    """Return what this kernel cannot refuse to a worker in a sandbox."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    return missing(libc.syscall(_CREATE_RULESET, None, 0, _GET_VERSION) if libc else 0, has_filter=is_available())


def missing(version: int, *, has_filter: bool) -> tuple[str, ...]:
    """Return what a kernel with this ``version`` of Landlock (below 1: none), with or without seccomp, cannot refuse."""
    calls = {
        "starting programs and changing attributes of files (seccomp)": has_filter,
        "connections (seccomp, or Linux 6.7)": has_filter or version >= _TCP_VERSION,
        "signals to other processes (seccomp, or Linux 6.12)": has_filter or version >= _SCOPE_VERSION,
    }
    refused = {
        "writing outside the output (Landlock, Linux 5.13)": version >= 1,
        "emptying files (Landlock, Linux 6.2)": version < 1 or version >= _TRUNCATE_VERSION,  # without Landlock, it is writing
        **calls,
    }
    return tuple(right for right, is_refused in refused.items() if not is_refused)


def _restrict_paths(sandbox: Sandbox) -> bool:
    """Allow writing only where ``sandbox`` does, and forbid connections and signals as far as this version of Landlock can."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if libc is None:
        return False
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = libc.syscall(_CREATE_RULESET, None, 0, _GET_VERSION)
    if version < 1:
        return False
    writes = sum(rights for since, rights in _WRITE_RIGHTS.items() if since <= version)
    network = _TCP_RIGHTS if version >= _TCP_VERSION and not sandbox.network else 0
    scopes = _SCOPES if version >= _SCOPE_VERSION else 0
    attributes = _RULESET.pack(writes, network, scopes)[: 8 if version < _TCP_VERSION else 16 if version < _SCOPE_VERSION else 24]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*sandbox.writable, *_temporary_folder(), os.devnull.encode()):
            _allow(libc, ruleset, path, writes)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _drop_capabilities() -> None:
    """Keep of the rights of root only those to files: another would let it look into every process, or load a module."""
    if sys.platform != "linux":
        return
    libc, header = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
    sets = ctypes.create_string_buffer(_CAPABILITIES.size)  # effective, permitted and inheritable: the lower halves, then the upper
    if libc.capget(header, sets) == 0:
        lower = (each & _FILE_CAPABILITIES for each in _CAPABILITIES.unpack(sets.raw)[:3])
        libc.capset(header, ctypes.create_string_buffer(_CAPABILITIES.pack(*lower, 0, 0, 0), _CAPABILITIES.size))


def _temporary_folder() -> list[bytes]:
    """Return the folder in which libvips stores large images; none if there is none, so that none will be stored."""
    try:
        import tempfile  # noqa: PLC0415  # the command describes sandboxes, and only workers enter one

        return [tempfile.gettempdirb()]
    except FileNotFoundError:
        return []


def _allow(libc: ctypes.CDLL, ruleset: int, path: bytes, writes: int) -> None:
    """Allow ``writes`` below a directory, or to a file, if it exists.

    ``OSError`` if it cannot be opened for the moment: a worker without the rule would fail every image.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _FAULTS_OF_SYSTEM:
            raise
        return  # a path that does not exist or is not accessible needs no rule
    try:
        rights = writes if stat.S_ISDIR(os.fstat(descriptor).st_mode) else writes & (_WRITE_FILE | _TRUNCATE)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, _RULE.pack(rights, descriptor), 0)
    finally:
        os.close(descriptor)


def limit_address_space(memory: int) -> None:
    """Make absurdly large allocations fail: a total of more than twice ``memory`` (bytes), the usable memory.

    The address space that threads reserve without using is allowed on top: a thread that cannot start aborts the process.
    """
    try:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    except OSError:
        return  # not Linux, or /proc is not mounted: the size of the current mappings is unknown
    lower_limit("RLIMIT_AS", mapped + _MEMORY_FACTOR * memory + _THREAD_RESERVE)


def limit_processor_time(seconds: float) -> None:
    """Have the kernel kill this process (SIGXCPU) after ``seconds`` more of CPU time, even if the coordinator is gone."""
    lower_limit("RLIMIT_CPU", int(time.process_time() + seconds) + 1)
