"""The main loop of a worker process: take task requests from the pipe, one at a time, and send the result of each.

The coordinator alone decides about deadlines, memory and retries; it kills a misbehaving worker from outside.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from pixmill.engine.broker import await_greeting
from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, HandlerRef, PendingResult, close_handler
from pixmill.engine.ipc.messages import Cancelled, FrameReader, LoadFailed, Message, Ready, TaskRequest, TaskResult, message_frame
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.resources.memory import resident_memory, usable_memory
from pixmill.engine.resources.sandbox import enter_sandbox, limit_address_space, limit_processor_time
from pixmill.engine.worker.batch import Batch, BatchedTask, BatchStages
from pixmill.engine.worker.group_commit import GroupCommitter
from pixmill.engine.worker.invoke import invoke
from pixmill.engine.worker.read_ahead import SIGN_OF_LIFE_INTERVAL, ReadAhead
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
        reader, size = FrameReader(), handler_ref.batch_size
        if handler_ref.read_ahead and size == 1 and (read := getattr(handler, "read_ahead", None)):
            self._run_reading_ahead(handler, reader, ReadAhead(read, limit=handler_ref.read_ahead))
        while data := self._receive():
            requests = reader.requests(data)
            if size == 1:
                for request in requests:
                    self._handle(handler, request)
                continue
            for first in range(0, len(requests), size):
                self._handle_together(handler, requests[first : first + size])
        self._committer.flush()
        close_handler(handler)

    def _run_reading_ahead(self, handler: Handler, reader: FrameReader, ahead: ReadAhead) -> None:
        """Process requests in the order in which their inputs have been read, until the coordinator closes the pipe."""
        waiting = deque[TaskRequest]()
        is_open = True
        while is_open:
            while waiting and ahead.has_room:
                self._start_reading(waiting.popleft(), ahead)
            read_input = ahead.next()
            if read_input:
                self._stages.set_input(read_input)
                self._handle(handler, read_input.request, is_started=True)
            elif not ahead.is_reading:
                self._committer.flush()
            if not (read_input or ahead.wait(self._pipe, SIGN_OF_LIFE_INTERVAL)) and ahead.is_reading:
                self._send([Ready()])
            with suppress(BlockingIOError):
                data = self._pipe.recv(_RECEIVE_SIZE, socket.MSG_DONTWAIT)
                waiting.extend(reader.requests(data))
                is_open = bool(data)

    def _start_reading(self, request: TaskRequest, ahead: ReadAhead) -> None:
        number = request[0]
        self._status_slot.set_started(number)
        if self._status_slot.is_cancelled(number):
            self._send([Cancelled(number)])
        else:
            ahead.begin(request)

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

    def _handle(self, handler: Handler, request: TaskRequest, *, is_started: bool = False) -> None:
        """Process ``request``; if it ``is_started``, it can no longer be cancelled, and later ones may be started as well."""
        number, payload, memory = request
        began = time.monotonic()
        self._status_slot.clear_output()
        if is_started:
            self._status_slot.begin_started(number, began)
        else:
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

    def _handle_together(self, handler: Handler, requests: Sequence[TaskRequest]) -> None:
        """Handle ``requests`` as one batch: until it has ended, all of them are at work."""
        began = time.monotonic()
        self._status_slot.clear_output()
        for number, _, _ in requests:
            self._status_slot.begin(number, began)
        self._status_slot.set_current(requests[0][0], began)
        live, cancelled = list[TaskRequest](), list[TaskRequest]()
        for request in requests:
            (cancelled if self._status_slot.is_cancelled(request[0]) else live).append(request)
        if cancelled:
            self._send([Cancelled(number) for number, _, _ in cancelled])
        self._limit_processor_time(len(live))
        batch = Batch()
        tasks = []
        for _, payload, memory in live:
            stages = BatchStages(self._status_slot, batch, self._stages.indexes)
            tasks.append(BatchedTask(handler, payload, stages, memory))
        batch.run([task.run for task in tasks])
        seconds = (time.monotonic() - began) / max(1, len(live))
        self._record_memory(time.monotonic())
        for (number, _, _), task in zip(live, tasks, strict=True):
            content = b"" if isinstance(task.result, PendingResult) else task.result
            task_result = TaskResult(number, content, task.failure, seconds, task.timings, task.measures)
            if isinstance(task.result, PendingResult):
                self._committer.submit(task_result, task.result)
            else:
                self._send([task_result])

    def _limit_processor_time(self, tasks: int = 1) -> None:
        """Raise the limit for the next ``tasks``. The kernel counts whole seconds, so once per second of CPU time is enough."""
        second = int(time.process_time())
        if second != self._limited_in_second:
            self._limited_in_second = second
            limit_processor_time(self._processor_time * tasks + 1)

    def _record_memory(self, now: float) -> None:
        self._memory_recorded_at = now
        self._status_slot.record_memory(resident_memory())
