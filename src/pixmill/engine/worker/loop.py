"""The main loop of a worker process: take task requests from the pipe, one at a time, and send the result of each.

The coordinator alone decides about deadlines, memory and retries; it kills a misbehaving worker from outside.
"""

import socket
import threading
import time
from collections.abc import Sequence

from pixmill.engine.broker import await_greeting
from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, HandlerRef, PendingResult
from pixmill.engine.ipc.messages import Cancelled, FrameReader, LoadFailed, Message, Ready, TaskRequest, TaskResult, message_frame
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.resources.memory import resident_memory, usable_memory
from pixmill.engine.resources.sandbox import enter_sandbox, limit_address_space, limit_processor_time
from pixmill.engine.worker.group_commit import GroupCommitter
from pixmill.engine.worker.invoke import invoke
from pixmill.engine.worker.stages import PublishedStages

_RECEIVE_SIZE = 262_144
_MEMORY_INTERVAL = 0.25


class Worker:
    """The loop of one worker process, over its end of the pipe."""

    def __init__(self, pipe: socket.socket, status_slot: StatusSlot, *, processor_time: float) -> None:
        """Reply on ``pipe`` and show progress in ``status_slot``. ``processor_time``: the CPU seconds that one task may use."""
        self._pipe = pipe
        self._status_slot = status_slot
        self._stages = PublishedStages(status_slot)
        self._committer = GroupCommitter(status_slot, self._send)
        self._send_lock = threading.Lock()
        self._memory_recorded_at = 0.0
        self._limited_in_second = -1
        self._processor_time = processor_time

    def run(self, handler_ref: HandlerRef, broker: socket.socket | None = None) -> None:
        """Load the handler and process requests until the coordinator closes the pipe."""
        if broker:
            await_greeting(broker)
        try:
            handler = handler_ref.load(broker)
            limit_address_space(usable_memory())
            if handler_ref.confinement:
                enter_sandbox(handler_ref.confinement)
        except BaseException as error:  # noqa: BLE001  # a module may raise anything on import; the coordinator must learn of it
            self._send([LoadFailed(failure_of(error, "load"))])
            return
        self._send([Ready()])
        self._record_memory(time.monotonic())
        reader = FrameReader()
        while data := self._receive():
            for request in reader.requests(data):
                self._handle(handler, request)

    def _receive(self) -> bytes:
        """Return the bytes that have arrived. If there are none, commit all pending results before waiting for more."""
        try:
            return self._pipe.recv(_RECEIVE_SIZE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._committer.flush()
            return self._pipe.recv(_RECEIVE_SIZE)

    def _send(self, messages: Sequence[Message]) -> None:
        frames = b"".join(map(message_frame, messages))
        with self._send_lock:
            self._pipe.sendall(frames)

    def _handle(self, handler: Handler, request: TaskRequest) -> None:
        number, payload, memory = request
        began = time.monotonic()
        self._status_slot.clear_output()
        self._status_slot.begin(number, began)
        if self._status_slot.is_cancelled(number):
            self._send([Cancelled(number)])
            return
        self._stages.memory = memory
        self._limit_processor_time()
        result, failure = invoke(handler, payload, self._stages)
        timings, measures = self._stages.finish()
        ended = time.monotonic()
        if ended - self._memory_recorded_at > _MEMORY_INTERVAL:
            self._record_memory(ended)
        content = b"" if isinstance(result, PendingResult) else result
        task_result = TaskResult(number, content, failure, ended - began, timings, measures)
        if isinstance(result, PendingResult):
            self._committer.submit(task_result, result)
        else:
            self._send([task_result])

    def _limit_processor_time(self) -> None:
        """Raise the limit for the next task. The kernel counts whole seconds, so once per second of CPU time is enough."""
        second = int(time.process_time())
        if second != self._limited_in_second:
            self._limited_in_second = second
            limit_processor_time(self._processor_time + 1)

    def _record_memory(self, now: float) -> None:
        self._memory_recorded_at = now
        self._status_slot.record_memory(resident_memory())
