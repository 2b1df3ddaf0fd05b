"""Hosts that are network namespaces on a wire of their own: a cluster on one machine, whose nodes can be killed and cut off.

They share the file system, where nothing else is said, and the processor, and nothing of the network: nothing in them reaches, or
is reached by, anybody else.
Needs Linux, root and ``ip`` of iproute2.
"""

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from support.processes import children, is_alive, wait_until

_NETWORK = "10.77.0"
_CLONE_NEWNET = 0x40000000
_WIRE = "wire0"
_COVERED = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


def why_no_hosts() -> str:
    """Return why there can be no hosts here, empty when there can."""
    if os.geteuid() != 0:
        return "making network namespaces takes root"
    if shutil.which("ip") is None:
        return "the command ip of iproute2 is not installed"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)  # wherever it is
    return "" if probe.returncode == 0 else "this machine does not let its root make network namespaces"


class Host:
    """One namespace; made by ``hosts``."""

    def __init__(self, name: str, address: str) -> None:
        """Know a namespace that is there already."""
        self.name = name
        self.address = address
        self._started: list[subprocess.Popen[bytes]] = []
        self._covers: list[str | Path] = []

    def cover(self, place: Path, by: Path) -> None:
        """Have whatever is started on this host from now on see ``by`` where others see ``place``: both folders, or both files."""
        self._covers += ["sh", "-c", _COVERED, "sh", by, place]

    def spoil(self, place: Path, by: Path) -> None:
        """Have what runs on this host already see ``by`` where it saw ``place``, as when a mount goes away."""
        for pid in {Path(f"/proc/{pid}/ns/mnt").readlink(): pid for pid in self.pids()}.values():
            command = ["nsenter", f"--target={pid}", "--mount", "mount", "--bind", str(by), str(place)]
            subprocess.run(command, check=True, capture_output=True)  # the test's own words

    def uncover(self) -> None:
        """Have whatever is started from now on see what others see."""
        self._covers.clear()

    def start(self, command: Sequence[str | Path], *, variables: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        """Start ``command`` on this host, in a session of its own; all it says goes to the file ``log``."""
        with log.open("ab") as out:
            process = subprocess.Popen(  # the test's own command
                ["ip", "netns", "exec", self.name, *map(str, [*self._covers, *command])],  # wherever it is
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **variables},
            )
        self._started.append(process)
        return process

    def pids(self) -> list[int]:
        """Return every process on this host."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, check=True, text=True)  # the same
        return [pid for pid in map(int, listed.stdout.split()) if is_alive(pid)]

    def workers(self) -> list[int]:
        """Return the worker processes of pixmill on this host."""
        return [worker for pid in self.pids() if "forkserver.process" in _command_line(pid) for worker in children(pid)]

    def kill(self) -> None:
        """Kill everything that runs on this host, as a power cut does."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.pids(), seconds=60)
        for process in self._started:
            process.wait()

    def cut(self) -> None:
        """Pull the wire."""
        _ip("-n", self.name, "link", "set", _WIRE, "down")

    def mend(self) -> None:
        """Plug the wire in again."""
        _ip("-n", self.name, "link", "set", _WIRE, "up")


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Make two hosts with a wire between them; whatever still runs on them afterwards is killed."""
    pair = [Host(f"pixmill-{os.getpid()}-{end}", f"{_NETWORK}.{end}") for end in (1, 2)]
    with ExitStack() as exits:
        for host in pair:
            _ip("netns", "add", host.name)
            exits.callback(_ip, "netns", "del", host.name)
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
    """Have this thread, and whatever it starts, in a fresh namespace with nothing but a loopback, until the block is left."""
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
    subprocess.run(["ip", *words], check=True, capture_output=True)  # the test's own words


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
