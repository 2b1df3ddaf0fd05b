"""What a worker process does: take errands from its pipe, one after the other, and answer each.

The coordinator alone decides about time, memory and retries; a worker that is in trouble is killed from outside.
"""

import socket
import threading
import time
from collections.abc import Sequence

from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, HandlerRef, PendingResult
from pixmill.engine.ipc.messages import Cancelled, FrameReader, LoadFailed, Message, Ready, TaskRequest, TaskResult, message_frame
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.resources.memory import resident_memory, usable_memory
from pixmill.engine.resources.sandbox import enter_sandbox, limit_address_space, limit_processor_time
from pixmill.engine.worker.group_commit import GroupCommitter
from pixmill.engine.worker.invoke import invoke
from pixmill.engine.worker.stages import PublishedStages

_RECEIVE = 262_144
_MEMORY_NOTE_EVERY = 0.25


class Worker:
    """The loop of one worker process, over its end of the pipe."""

    def __init__(self, pipe: socket.socket, status_slot: StatusSlot, *, processor_time: float) -> None:
        """Answer on ``pipe`` and show the way on ``status_slot``; compute for ``processor_time`` seconds a task at most."""
        self._pipe = pipe
        self._status_slot = status_slot
        self._stages = PublishedStages(status_slot)
        self._committer = GroupCommitter(status_slot, self._send)
        self._send_lock = threading.Lock()
        self._noted = 0.0
        self._limited = -1
        self._processor_time = processor_time

    def run(self, handler_ref: HandlerRef) -> None:
        """Load the handler and answer errands until the coordinator hangs up."""
        try:
            handler = handler_ref.load()
            limit_address_space(usable_memory())
            if handler_ref.confinement:
                enter_sandbox(handler_ref.confinement)
        except BaseException as error:  # noqa: BLE001  # a module may raise anything at import; the coordinator must hear of it
            self._send([LoadFailed(failure_of(error, "load"))])
            return
        self._send([Ready()])
        self._note_memory(time.monotonic())
        inbox = FrameReader()
        while data := self._receive():
            for request in inbox.requests(data):
                self._handle(handler, request)

    def _receive(self) -> bytes:
        """Return what has come; when nothing has, everything is settled before we wait for it."""
        try:
            return self._pipe.recv(_RECEIVE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._committer.flush()
            return self._pipe.recv(_RECEIVE)

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
        if ended - self._noted > _MEMORY_NOTE_EVERY:
            self._note_memory(ended)
        settled = result.result if isinstance(result, PendingResult) else result
        answer = TaskResult(number, settled, failure, ended - began, timings, measures)
        if isinstance(result, PendingResult):
            self._committer.submit(answer, result)
        else:
            self._send([answer])

    def _limit_processor_time(self) -> None:
        """Move the limit on, by whole seconds as the kernel counts them, when a task begins in a new one."""
        second = int(time.process_time())
        if second != self._limited:
            self._limited = second
            limit_processor_time(self._processor_time + 1)

    def _note_memory(self, now: float) -> None:
        self._noted = now
        self._status_slot.note_memory(resident_memory())
