"""Read the inputs of further tasks in threads while the worker handles one: waiting for a network does not occupy a worker.

Tasks are handled in the order in which their inputs arrive, so that none waits behind a slow one. A task whose input is being read
is not at work yet: it is neither blamed for the end of the worker, nor does its deadline run. The reader limits its own time.
"""

import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from pixmill.engine.ipc.messages import TaskRequest
from pixmill.engine.worker.stages import ReadInput

SIGN_OF_LIFE_INTERVAL = 1.0  # seconds after which a worker that only waits for inputs tells the coordinator that it is alive


class ReadAhead:
    """Up to ``limit`` inputs that are being read, or have been and wait to be handled; each is read in a thread of its own."""

    def __init__(self, read: Callable[[bytes], object], *, limit: int) -> None:
        """Start no thread yet. ``read`` takes the payload of a task."""
        self._read = read
        self._limit = limit
        self._begun = 0
        self._threads = 0
        self._requests = queue.SimpleQueue[TaskRequest]()
        self._inputs = queue.SimpleQueue[ReadInput]()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    @property
    def has_room(self) -> bool:
        """Whether another input may be read."""
        return self._begun < self._limit

    @property
    def is_reading(self) -> bool:
        """Whether inputs are being read or wait to be handled."""
        return self._begun > 0

    def begin(self, request: TaskRequest) -> None:
        """Read the input of ``request``."""
        if self._threads == self._begun:  # every thread is at work
            threading.Thread(target=self._run, name="read-ahead", daemon=True).start()
            self._threads += 1
        self._begun += 1
        self._requests.put(request)

    def next(self) -> ReadInput | None:
        """Return the next input that has been read, ``None`` if there is none at the moment."""
        try:
            read_input = self._inputs.get_nowait()
        except queue.Empty:
            return None
        self._begun -= 1
        return read_input

    def wait(self, pipe: socket.socket, timeout: float) -> bool:
        """Wait until an input has been read, or there is something to receive from ``pipe``; return whether it happened in time."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        poll.register(pipe, select.POLLIN)
        events = poll.poll(timeout * 1000)
        for descriptor, _ in events:
            if descriptor == self._woken:
                os.read(self._woken, 4096)
        return bool(events)

    def _run(self) -> None:
        while True:
            request = self._requests.get()
            began = time.perf_counter()
            result, error = None, None
            try:
                result = self._read(request[1])
            except BaseException as raised:  # noqa: BLE001  # as in ``invoke``
                error = raised
            self._inputs.put(ReadInput(request, result, error, time.perf_counter() - began))
            with suppress(BlockingIOError):  # there are enough
                os.write(self._wake, b".")
