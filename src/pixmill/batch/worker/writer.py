"""The writer: the process that writes the outputs of workers, which may write nothing. It is their broker."""

import socket
from collections.abc import Iterable

import msgspec

from pixmill.batch.worker.options import HandlerOptions
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from pixmill.storage.writer.files import DirectWriter
from pixmill.storage.writer.server import serve


def serve_workers(options: bytes, connections: Iterable[socket.socket]) -> None:
    """Write to the destination of the encoded ``HandlerOptions``; the function that a ``BrokerRef`` names."""
    handler_options = msgspec.msgpack.decode(options, type=HandlerOptions)
    destination = Address.parse(handler_options.destination)
    storage = open_storage(destination, tag=handler_options.tag, follow_symlinks=handler_options.follow_output_links)
    serve(DirectWriter(storage), connections)
