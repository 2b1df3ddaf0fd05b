"""Ray and Dask on two hosts, started as in production, and runs of the command on them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from support.fault_run import COMMAND
from support.network_namespaces import Host
from support.processes import wait_until

#: environment of every process of the cluster; the token keeps out processes of other clusters
VARIABLES = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # the default is 15; next to other tests, tasks of milliseconds would take longer than a second
}
_BIN = Path(sys.executable).parent
_LISTENS = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"

Command = list[str | Path]


class Engine(Protocol):
    """How to start a cluster engine. ``name`` is the name of the executor, ``joined`` the text it logs once per node.

    ``centre`` is in the command line of the one process that knows all nodes, and in no other.
    """

    name: str
    port: int
    joined: str
    centre: str

    def head(self, host: Host, folder: Path) -> Iterator[Command]:
        """Yield the commands for the first host, starting with the one that listens on ``port``."""

    def node(self, host: Host, head: Host) -> Command:
        """Return the command for a host that joins."""

    def address(self, head: Host) -> str:
        """Return the value of ``--address``."""


class RayEngine(Engine):
    """Ray with one core per node."""

    name, port, joined, centre = "ray", 6379, "Ray runtime started", "/gcs_server"

    def head(self, host: Host, folder: Path) -> Iterator[Command]:
        """Yield the command for a head that keeps its files in ``folder``."""
        yield [_BIN / "ray", "start", "--head", "--block", f"--node-ip-address={host.address}", f"--port={self.port}",
               f"--temp-dir={folder}", "--num-cpus=1", "--include-dashboard=false", "--object-store-memory=100000000"]  # fmt: skip

    def node(self, host: Host, head: Host) -> Command:
        """Return the command for another node."""
        return [_BIN / "ray", "start", "--block", f"--address={head.address}:{self.port}", f"--node-ip-address={host.address}",
                "--num-cpus=1", "--object-store-memory=100000000"]  # fmt: skip

    def address(self, head: Host) -> str:
        """Return the address of the head."""
        return f"{head.address}:{self.port}"


class DaskEngine(Engine):
    """Dask with one worker process per node, and the scheduler on the first node."""

    name, port, joined, centre = "dask", 8786, "Registered to:", "scheduler"

    def head(self, host: Host, folder: Path) -> Iterator[Command]:  # noqa: ARG002  # Ray's needs one
        """Yield the commands for the scheduler and the first worker."""
        yield [_BIN / "dask", "scheduler", "--host", host.address, "--port", str(self.port), "--no-dashboard"]
        yield self.node(host, host)

    def node(self, host: Host, head: Host) -> Command:
        """Return the command for a worker."""
        return [_BIN / "dask", "worker", self.address(head), "--host", host.address, "--nthreads", "1", "--no-dashboard",
                "--local-directory", tempfile.gettempdir()]  # fmt: skip

    def address(self, head: Host) -> str:
        """Return the address of the scheduler."""
        return f"tcp://{head.address}:{self.port}"


class Cluster:
    """``engine`` on two hosts. Its processes and runs get the environment variables ``also``, in addition to the required ones.

    ``temporary`` is their folder for temporary files, which nothing else uses.
    """

    def __init__(self, engine: Engine, hosts: tuple[Host, Host], folder: Path, *, also: Mapping[str, str] | None = None) -> None:
        """Start nothing yet."""
        self.engine, self.folder = engine, folder
        self.head, self.node = hosts
        self.log, self.temporary = folder / "engine.log", folder / "t"
        self.temporary.mkdir()
        self.variables = {**VARIABLES, "TMPDIR": str(self.temporary), **(also or {})}

    def start(self) -> None:
        """Start the engine on both hosts."""
        first, *others = self.engine.head(self.head, self.folder)
        self.head.start(first, variables=self.variables, log=self.log)
        wait_until(self._listens, seconds=120)
        for command in others:
            self.head.start(command, variables=self.variables, log=self.log)
        self.join()

    def join(self) -> None:
        """Start the engine on the second host."""
        self.node.start(self.engine.node(self.node, self.head), variables=self.variables, log=self.log)

    def wait_for_nodes(self) -> None:
        """Wait until the engine runs on both hosts."""
        wait_until(lambda: self.log.read_text(errors="replace").count(self.engine.joined) == 2, seconds=120)

    def run(self, source: Path | str, destination: Path | str, events: Path, *options: str) -> subprocess.Popen[bytes]:
        """Start a run on the first host; its output goes to ``events``."""
        line = [*COMMAND, "run", source, destination, "--executor", self.engine.name, "--json", *options]
        return self.head.start([*line, "--address", self.engine.address(self.head)], variables=self.variables, log=events)

    def _listens(self) -> bool:
        probe = ["ip", "netns", "exec", self.head.name, sys.executable, "-c", _LISTENS, self.head.address, str(self.engine.port)]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0  # our own words
