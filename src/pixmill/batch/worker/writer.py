"""The writer: the process that writes the outputs of workers, which may write nothing. It is their broker."""

import socket
from collections.abc import Iterable

import msgspec

from pixmill.batch.worker.options import HandlerOptions
from pixmill.storage.address import Address
from pixmill.storage.local.temporary import STATE
from pixmill.storage.schemes.file import FileStorage
from pixmill.storage.writer.files import DirectWriter
from pixmill.storage.writer.server import serve


def serve_workers(options: bytes, connections: Iterable[socket.socket]) -> None:
    """Write to the destination of the encoded ``HandlerOptions``; the function that a ``BrokerRef`` names."""
    handler_options = msgspec.msgpack.decode(options, type=HandlerOptions)
    destination = Address.parse(handler_options.destination)
    follows = handler_options.follow_output_links
    storage = FileStorage(destination.location, tag=handler_options.tag, follow_symlinks=follows, reserved=STATE)
    serve(DirectWriter(storage), connections)
