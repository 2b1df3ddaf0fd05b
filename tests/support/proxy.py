"""A proxy on the loopback interface that simulates bad networks and busy servers: delays, refusals, broken responses.

As a program (``program("proxy")`` with UPSTREAM PORT LATENCY) it only delays, for benchmarks that must not share a process with
it.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from support.ports import HOST, free_port

_END = b"\r\n\r\n"
_POLL = 0.02  # seconds
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_REFUSAL = b"HTTP/1.1 %d Refused\r\nRetry-After: 1\r\nContent-Length: %d\r\n\r\n%s"
_PIECES = 10  # of a slow response


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """The faults to inject; requests are counted over all connections, only those of some ``kinds`` if these are given.

    ``latency`` is the delay of each response in seconds. Of every ``cycle`` requests, the first ``burst`` are refused with this
    ``status``; if it ``breaks``, their connections are broken instead. Every ``reset``-th response is cut in mid-body by a
    connection reset, every ``short``-th ends cleanly before its length, every ``lost``-th is not sent at all, although the server
    processed the request, and every ``slow``-th takes a second. At the request number ``away``, nothing listens for a second, and
    the request number ``silent`` is never answered. 0 means never.
    """

    latency: float = 0.0
    cycle: int = 0
    burst: int = 0
    breaks: bool = False
    reset: int = 0
    short: int = 0
    lost: int = 0
    slow: int = 0
    away: int = 0
    silent: int = 0
    status: int = 503
    kinds: frozenset[str] = frozenset()

    def of(self, number: int) -> str:
        """Return the fault for request ``number``, counted from 0: the name of a field, or an empty string."""
        if self.cycle and number % self.cycle < self.burst:
            return "broken" if self.breaks else "burst"
        if number + 1 in {self.away, self.silent}:
            return "away" if number + 1 == self.away else "silent"
        every = {"reset": self.reset, "short": self.short, "lost": self.lost, "slow": self.slow}
        return next((name for name, step in every.items() if step and number % step == step - 1), "")


class FaultProxy:
    """Forwards to the server on the port ``upstream``. ``seen`` counts requests and faults by name, ``kinds`` requests by kind.

    A kind is a method in lower case, or ``list``.

    While ``is_away``, nothing listens on its port, and its connections are broken.
    """

    def __init__(self, upstream: int, faults: Faults, *, port: int = 0) -> None:
        """Listen on nothing yet."""
        self.port = port or free_port()
        self.seen: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.is_away = False
        self.listens = threading.Event()
        self._upstream = upstream
        self._faults = faults
        self._clients: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        """Serve until cancelled."""
        while True:
            server = await asyncio.start_server(self._relay, HOST, self.port, limit=1 << 20)
            self.listens.set()
            async with server:
                while not self.is_away:  # noqa: ASYNC110  # set by another thread
                    await asyncio.sleep(_POLL)
                for client in self._clients:
                    client.transport.abort()
            while self.is_away:  # noqa: ASYNC110  # set by another thread
                await asyncio.sleep(_POLL)

    def asked(self, head: bytes) -> bytes:
        """Return the head of a request as sent to the server."""
        return head

    def answered(self, head: bytes) -> bytes:
        """Return the head of a response as sent to the client."""
        return head

    async def _refuse(self, client: tuple[asyncio.StreamReader, asyncio.StreamWriter], fault: str) -> bool:
        """Do not forward a request; return whether its connection stays."""
        if fault == "burst":
            client[1].write(_REFUSAL % (self._faults.status, len(_SLOW_DOWN), _SLOW_DOWN))
            await client[1].drain()
        elif fault == "broken":
            client[1].transport.abort()
        elif fault == "silent":
            await client[0].read()  # until the client hangs up
        else:
            self.is_away = True
            asyncio.get_running_loop().call_later(1, self._come_back)
        return fault == "burst"

    def _come_back(self) -> None:
        self.is_away = False

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward the requests of one connection until either end or a fault closes it."""
        self._clients.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            server, to_server = await asyncio.open_connection(HOST, self._upstream, limit=1 << 20)
            try:
                while await self._exchange((reader, writer), (server, to_server)):
                    pass
            finally:
                to_server.close()
                writer.close()
                self._clients.discard(writer)

    async def _exchange(
        self, client: tuple[asyncio.StreamReader, asyncio.StreamWriter], server: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> bool:
        """Forward one request and its response; return whether another may follow."""
        request = await client[0].readuntil(_END)
        body = await client[0].readexactly(_length(request))
        kind, kinds = _kind(request), self._faults.kinds
        number = sum(self.kinds[each] for each in kinds) if kinds else self.seen["requests"]
        fault = self._faults.of(number) if not kinds or kind in kinds else ""
        self.seen.update(["requests", fault] if fault else ["requests"])
        self.kinds[kind] += 1
        await asyncio.sleep(self._faults.latency)
        if fault in {"broken", "away", "silent", "burst"}:
            return await self._refuse(client, fault)
        server[1].write(self.asked(request) + body)
        head = self.answered(await server[0].readuntil(_END))
        answer = b"" if request.startswith(b"HEAD ") else await _body(server[0], head)
        if fault == "lost":
            client[1].transport.abort()
            return False
        if fault == "slow":
            await _trickle(client[1], head + answer)
            return True
        if fault and answer:
            client[1].write(head + answer[: len(answer) // 2])
            await client[1].drain()
            if fault == "reset":
                client[1].transport.abort()
            return False
        client[1].write(head + answer)
        await client[1].drain()
        return True


@contextmanager
def fault_proxy(upstream: int, faults: Faults) -> Iterator[FaultProxy]:
    """Run a proxy in a thread for the duration of the block."""
    proxy = FaultProxy(upstream, faults)
    with running(proxy):
        yield proxy


@contextmanager
def running(proxy: FaultProxy) -> Iterator[None]:
    """Run ``proxy`` in a thread for the duration of the block."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(proxy.serve())
    thread = threading.Thread(target=_run, args=(loop, task))
    thread.start()
    try:
        assert proxy.listens.wait(60)
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.run_until_complete(_hang_up())


async def _trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write ``data`` in pieces over a second."""
    size = len(data) // _PIECES + 1
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
        await writer.drain()
        await asyncio.sleep(1 / _PIECES)


async def _hang_up() -> None:
    """Close the connections that are still open."""
    open_connections = asyncio.all_tasks() - {asyncio.current_task()}
    for task in open_connections:
        task.cancel()
    await asyncio.gather(*open_connections, return_exceptions=True)


def _kind(head: bytes) -> str:
    method, target, _ = head.split(b" ", 2)
    return "list" if b"list-type=" in target else method.decode().lower()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if b"transfer-encoding: chunked" not in head.lower():
        return await reader.readexactly(_length(head))
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        body += line + await reader.readexactly(int(line, 16) + 2)
        if not int(line, 16):
            return body


if __name__ == "__main__":
    asyncio.run(FaultProxy(int(sys.argv[1]), Faults(latency=float(sys.argv[3])), port=int(sys.argv[2])).serve())
