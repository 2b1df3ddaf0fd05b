"""What a worker process does: take errands from its pipe, one after the other, and answer each.

The coordinator alone decides about time, memory and retries; a worker that is in trouble is killed from outside.
"""

import socket
import threading
import time
from collections.abc import Sequence

from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, HandlerRef, Unsettled
from pixmill.engine.ipc.messages import Answer, Broken, Declined, Errand, Inbox, Message, Ready, message_frame
from pixmill.engine.ipc.status_slot import Beacon
from pixmill.engine.resources.memory import resident_memory, usable_memory
from pixmill.engine.resources.sandbox import confine, limit_address_space, limit_processor_time
from pixmill.engine.worker.group_commit import Settler
from pixmill.engine.worker.invoke import call
from pixmill.engine.worker.stages import BeaconStages

_RECEIVE = 262_144
_MEMORY_NOTE_EVERY = 0.25


class Worker:
    """The loop of one worker process, over its end of the pipe."""

    def __init__(self, pipe: socket.socket, beacon: Beacon, *, processor_time: float) -> None:
        """Answer on ``pipe`` and show the way on ``beacon``; compute for ``processor_time`` seconds a task at most."""
        self._pipe = pipe
        self._beacon = beacon
        self._stages = BeaconStages(beacon)
        self._settler = Settler(beacon, self._say)
        self._saying = threading.Lock()
        self._noted = 0.0
        self._limited = -1
        self._processor_time = processor_time

    def run(self, handler_ref: HandlerRef) -> None:
        """Load the handler and answer errands until the coordinator hangs up."""
        try:
            handler = handler_ref.load()
            limit_address_space(usable_memory())
            if handler_ref.confinement:
                confine(handler_ref.confinement)
        except BaseException as error:  # noqa: BLE001  # a module may raise anything at import; the coordinator must hear of it
            self._say([Broken(failure_of(error, "load"))])
            return
        self._say([Ready()])
        self._note_memory(time.monotonic())
        inbox = Inbox()
        while data := self._hear():
            for errand in inbox.errands(data):
                self._take(handler, errand)

    def _hear(self) -> bytes:
        """Return what has come; when nothing has, everything is settled before we wait for it."""
        try:
            return self._pipe.recv(_RECEIVE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._settler.finish()
            return self._pipe.recv(_RECEIVE)

    def _say(self, messages: Sequence[Message]) -> None:
        frames = b"".join(map(message_frame, messages))
        with self._saying:
            self._pipe.sendall(frames)

    def _take(self, handler: Handler, errand: Errand) -> None:
        number, payload, memory = errand
        began = time.monotonic()
        self._beacon.forget_output()
        self._beacon.begin(number, began)
        if self._beacon.is_recalled(number):
            self._say([Declined(number)])
            return
        self._stages.memory = memory
        self._limit_processor_time()
        result, failure = call(handler, payload, self._stages)
        timings, measures = self._stages.finish()
        ended = time.monotonic()
        if ended - self._noted > _MEMORY_NOTE_EVERY:
            self._note_memory(ended)
        settled = result.result if isinstance(result, Unsettled) else result
        answer = Answer(number, settled, failure, ended - began, timings, measures)
        if isinstance(result, Unsettled):
            self._settler.take(answer, result)
        else:
            self._say([answer])

    def _limit_processor_time(self) -> None:
        """Move the limit on, by whole seconds as the kernel counts them, when a task begins in a new one."""
        second = int(time.process_time())
        if second != self._limited:
            self._limited = second
            limit_processor_time(self._processor_time + 1)

    def _note_memory(self, now: float) -> None:
        self._noted = now
        self._beacon.note_memory(resident_memory())
