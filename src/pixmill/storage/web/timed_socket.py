"""A socket for ``http.client`` whose reads end at a deadline, however slowly the bytes arrive."""

import io
import socket
import time


class TimedSocket:
    """Wraps ``sock``: a read fails with ``TimeoutError`` after ``silence`` seconds without a byte, and at the deadline.

    Without ``start`` there is no deadline. It implements what ``http.client`` calls.
    """

    def __init__(self, sock: socket.socket, *, silence: float) -> None:
        """Take over ``sock``."""
        self._sock = sock
        self._silence = silence
        self._deadline = float("inf")
        self._readers = 0
        self._is_closed = False

    def start(self, seconds: float) -> None:
        """Set the deadline of the next response: ``seconds`` from now, 0 for none."""
        self._deadline = time.monotonic() + seconds if seconds else float("inf")

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a file that reads from the socket. ``mode`` is always ``rb``."""
        del mode
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``."""
        self._sock.settimeout(self._silence)
        self._sock.sendall(data)

    def receive_into(self, buffer: memoryview) -> int:
        """Receive bytes into ``buffer``; return their number, 0 at the end."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._silence, left))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Close the socket once the files from ``makefile`` are closed: a response may outlive its connection."""
        self._is_closed = True
        if self._readers <= 0:
            self._sock.close()

    def release(self) -> None:
        """Note that a file from ``makefile`` is closed."""
        self._readers -= 1
        if self._is_closed:
            self.close()


class _Reader(io.RawIOBase):
    """The file in front of a ``TimedSocket``. Closing it leaves the socket open, for the next response."""

    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.release()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        return self._sock.receive_into(buffer)
