"""A web of strangers, for a command that runs in it: name servers whose answers change, and servers that redirect.

Run as a program, ``python strangers_web.py PICTURE COMMAND...``, in namespaces of its own for the network and for mounts. All
addresses belong to its loopback interface, so every connection that the command makes is accepted, and is known by its address.
It prints, as JSON, how the command ended, which addresses received a request, and how often each name was looked up.
"""

import json
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET, AF_INET6, SOCK_DGRAM, inet_pton, socket
from threading import Thread

PUBLIC, PRIVATE, METADATA = "93.184.215.14", "10.0.0.7", "169.254.169.254"
#: Addresses by name: each look-up receives the next list, and then the last one again and again.
NAMES: dict[str, Sequence[Sequence[str]]] = {
    "public.test": [[PUBLIC]],
    "rebinding.test": [[PUBLIC], ["127.0.0.1"]],
    "rebinding6.test": [[PUBLIC], ["::1"]],
    "inside.test": [[PRIVATE]],
    "metadata.test": [[METADATA]],
    "mapped.test": [["::ffff:127.0.0.1"]],
    "mixed.test": [[PRIVATE, PUBLIC]],
}
A, AAAA = 1, 28


class NameServer:
    """Answers questions for addresses, by UDP."""

    def __init__(self) -> None:
        """Listen where the system asks."""
        self.looked_up: Counter[str] = Counter()
        self._socket = socket(AF_INET, SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._current: dict[str, Sequence[str]] = {}

    def serve(self) -> None:
        """Answer for ever."""
        while True:
            query, client = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        question, kind = query[12 : at + 5], int.from_bytes(query[at + 1 : at + 3])
        addresses = [inet_pton(AF_INET6 if ":" in each else AF_INET, each) for each in self._addresses(".".join(labels), kind)]
        wanted = [each for each in addresses if len(each) == (4 if kind == A else 16)]
        records = [b"\xc0\x0c" + kind.to_bytes(2) + b"\0\1\0\0\0\0" + len(each).to_bytes(2) + each for each in wanted]
        status = b"\x81\x80" if ".".join(labels) in NAMES else b"\x81\x83"
        return query[:2] + status + b"\0\1" + len(records).to_bytes(2) + bytes(4) + question + b"".join(records)

    def _addresses(self, name: str, kind: int) -> Sequence[str]:
        """Return the addresses of a look-up, which is one question for each kind, the first of them for ``A``."""
        if kind == A and name in NAMES:
            self._current[name] = NAMES[name][min(self.looked_up[name], len(NAMES[name]) - 1)]
            self.looked_up[name] += 1
        return self._current.get(name, ())


def main(picture: Path, command: Sequence[str]) -> None:
    """Serve ``picture`` and redirections while ``command`` runs; print what happened."""
    for address in (PUBLIC, PRIVATE, METADATA):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    reached: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached[self.connection.getsockname()[0].removeprefix("::ffff:")] += 1
            to = urllib.parse.unquote(self.path.partition("?")[2])
            data = b"" if to else picture.read_bytes()
            self.send_response(302 if to else 200)
            self.send_header("Content-Length", str(len(data)))
            if to:
                self.send_header("Location", to)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = AF_INET6  # with every address of the other kind

    names = NameServer()
    for serve in (names.serve, Server(("::", 80), Handler).serve_forever):
        Thread(target=serve, daemon=True).start()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    json.dump({"code": ended.returncode, "err": ended.stderr, "reached": reached, "looked_up": names.looked_up}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
