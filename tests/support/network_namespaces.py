"""Hosts as network namespaces on a private link: a cluster on one machine, whose nodes can be killed and disconnected.

They share the processor and, unless a test says otherwise, the file system, but no network: they cannot reach, or be reached by,
anything else. Needs Linux, root and ``ip`` of iproute2.
"""

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from support.processes import children, is_alive, wait_until

_NETWORK = "10.77.0"
_CLONE_NEWNET = 0x40000000
_WIRE = "wire0"
_COVERED = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


def why_no_hosts() -> str:
    """Return the reason why hosts cannot be created on this machine; empty if they can."""
    if os.geteuid() != 0:
        return "creating network namespaces requires root"
    if shutil.which("ip") is None:
        return "the command ip of iproute2 is not installed"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)  # wherever it is
    return "" if probe.returncode == 0 else "this machine does not let root create network namespaces"


class Host:
    """One network namespace; created by ``two_hosts``."""

    def __init__(self, name: str, address: str) -> None:
        """Refer to an existing namespace."""
        self.name = name
        self.address = address
        self._started: list[subprocess.Popen[bytes]] = []
        self._covers: list[str | Path] = []
        self._namespaces: list[BinaryIO] = []

    def cover(self, place: Path, by: Path) -> None:
        """Show ``by`` in place of ``place`` to all processes started on this host from now on: both folders, or both files."""
        self._covers += ["sh", "-c", _COVERED, "sh", by, place]

    def spoil(self, place: Path, by: Path) -> None:
        """Show ``by`` in place of ``place`` to the processes already running on this host, as if a mount went away."""
        for pid in {Path(f"/proc/{pid}/ns/mnt").readlink(): pid for pid in self.pids()}.values():
            command = ["nsenter", f"--target={pid}", "--mount", "mount", "--bind", str(by), str(place)]
            subprocess.run(command, check=True, capture_output=True)

    def uncover(self) -> None:
        """Undo ``cover`` for processes started from now on."""
        self._covers.clear()

    def start(self, command: Sequence[str | Path], *, variables: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start ``command`` on this host in its own session, with its output in the file ``log``."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *map(str, [*self._covers, *command])],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **variables},
            )
        self._started.append(process)
        return process

    def mounts(self) -> int:
        """Return a descriptor of the mounts that the first process started here sees, which stay even if it is killed."""
        namespace = Path(f"/proc/{self._started[0].pid}/ns/mnt").open("rb")  # noqa: SIM115  # ``forget_mounts`` closes it
        self._namespaces.append(namespace)
        return namespace.fileno()

    def call(self, command: Sequence[str | Path], mounts: int) -> bytes:
        """Return the output of ``command``, which sees the ``mounts`` of this host but not its network."""
        line = ["nsenter", f"--mount=/proc/{os.getpid()}/fd/{mounts}", *command]
        return subprocess.run(line, check=True, capture_output=True).stdout

    def pids(self) -> list[int]:
        """Return the pids of all processes on this host."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, check=True, text=True)
        return [pid for pid in map(int, listed.stdout.split()) if is_alive(pid)]

    def workers(self) -> list[int]:
        """Return the pids of pixmill's worker processes on this host."""
        return [worker for pid in self.fork_servers() for worker in children(pid)]

    def fork_servers(self) -> list[int]:
        """Return the pids of pixmill's fork servers on this host."""
        return [pid for pid in self.pids() if "pixmill.engine.forkserver.process" in _command_line(pid)]

    def processes(self, words: str) -> list[int]:
        """Return the pids of processes on this host whose command line has ``words``, other than ``ip`` that started them."""
        return [pid for pid in self.pids() if words in _command_line(pid) and "netns" not in _command_line(pid)]

    def kill(self) -> None:
        """Kill all processes on this host, like a power cut."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.pids(), seconds=60)
        for process in self._started:
            process.wait()

    def forget_mounts(self) -> None:
        """Close what ``mounts`` returned."""
        for namespace in self._namespaces:
            namespace.close()

    def cut(self) -> None:
        """Disconnect the host from the network."""
        _ip("-n", self.name, "link", "set", _WIRE, "down")

    def mend(self) -> None:
        """Reconnect the host to the network."""
        _ip("-n", self.name, "link", "set", _WIRE, "up")


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Create two hosts with a link between them; processes that are still running at the end are killed."""
    pair = [Host(f"pixmill-{os.getpid()}-{end}", f"{_NETWORK}.{end}") for end in (1, 2)]
    with ExitStack() as exits:
        for host in pair:
            _ip("netns", "add", host.name)
            exits.callback(_ip, "netns", "del", host.name)
            exits.callback(host.forget_mounts)
            exits.callback(host.kill)
        one, other = pair
        _ip("link", "add", _WIRE, "netns", one.name, "type", "veth", "peer", "name", _WIRE, "netns", other.name)
        for host in pair:
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", _WIRE)
            _ip("-n", host.name, "link", "set", "lo", "up")
            host.mend()
        yield one, other


@contextmanager
def isolated() -> Iterator[None]:
    """Move this thread, and all processes it starts, to a new namespace with only a loopback interface, until the block ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            _ip("link", "set", "lo", "up")
            yield
        finally:
            libc.setns(before, _CLONE_NEWNET)
    finally:
        os.close(before)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
