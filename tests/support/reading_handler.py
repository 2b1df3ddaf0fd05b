"""A handler whose inputs a worker reads ahead. A payload is ``READING,HANDLING``, such as ``sleep 3,echo``."""

import os
import time

from pixmill.core.errors import ReadError
from pixmill.engine.handler import HandlerRef, Stages


class ReadingHandler:
    """Handles a task with what ``read_ahead`` returned for it, in upper case."""

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Return the input, or crash."""
        stages.enter("read")
        data = stages.take_input()
        if payload.endswith(b",crash"):
            os._exit(3)
        return b"nothing" if data is None else str(data).encode()

    def read_ahead(self, payload: bytes) -> str:
        """Sleep, fail, or return at once."""
        verb, _, argument = payload.decode().partition(",")[0].partition(" ")
        if verb == "sleep":
            time.sleep(float(argument))
        if verb == "refuse":
            raise ReadError("refused", retryable=True, retry_after=float(argument))
        return argument.upper()


def make(options: bytes) -> ReadingHandler:
    """Return a handler."""
    del options
    return ReadingHandler()


REF = HandlerRef("support.reading_handler:make", read_ahead=4)
