"""The frames between the coordinator and a worker: four bytes of length (little endian), then MessagePack.

To a worker: task requests, a list of ``(sequence number, payload, bytes of memory that it may use)``. From a worker: ``Ready`` or
``LoadFailed`` once, then one ``TaskResult`` or ``Cancelled`` for each request.
"""

import struct
from collections.abc import Sequence

import msgspec

from pixmill.engine.task import Failure

_LENGTH = struct.Struct("<I")


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """The handler is loaded, and the worker accepts requests."""


class LoadFailed(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """The handler could not be loaded; the worker exits."""

    failure: Failure


class TaskResult(msgspec.Struct, frozen=True, array_like=True, tag="a", gc=False):
    """The handler returned ``result``, or failed with ``failure``, after ``seconds``.

    ``timings`` are seconds by stage, ``measures`` the handler's counts by name.
    """

    number: int
    result: bytes
    failure: Failure | None
    seconds: float
    timings: dict[str, float]
    measures: dict[str, int]


class Cancelled(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """The request was cancelled before it began."""

    number: int


Message = TaskResult | Cancelled | Ready | LoadFailed
TaskRequest = tuple[int, bytes, int]

_encoder = msgspec.msgpack.Encoder()
_decode_message = msgspec.msgpack.Decoder(Message).decode
_decode_requests = msgspec.msgpack.Decoder(list[TaskRequest]).decode


def frame(body: bytes) -> bytes:
    """Return ``body`` prefixed with its length."""
    return _LENGTH.pack(len(body)) + body


def request_frame(requests: Sequence[TaskRequest]) -> bytes:
    """Return the frame that sends ``requests`` to a worker."""
    return frame(_encoder.encode(requests))


def message_frame(message: Message) -> bytes:
    """Return the frame that sends ``message`` to the coordinator."""
    return frame(_encoder.encode(message))


class FrameReader:
    """Splits a stream of bytes into the bodies of frames; the chunks may end anywhere."""

    def __init__(self) -> None:
        """Start empty."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Append ``data`` to the stream and return the bodies that are now complete."""
        buffer = self._buffer
        buffer += data
        bodies = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            end = start + _LENGTH.size + _LENGTH.unpack_from(buffer, start)[0]
            if end > len(buffer):
                break
            bodies.append(bytes(buffer[start + _LENGTH.size : end]))
            start = end
        if start:
            del buffer[:start]
        return bodies

    def messages(self, data: bytes) -> list[Message]:
        """Append ``data``, received from a worker, and return its complete messages."""
        return [_decode_message(body) for body in self.feed(data)]

    def requests(self, data: bytes) -> list[TaskRequest]:
        """Append ``data``, received from the coordinator, and return its complete requests."""
        return [request for body in self.feed(data) for request in _decode_requests(body)]
