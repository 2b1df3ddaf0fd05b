"""Frames are restored from a stream, wherever its chunks end."""

import pytest

from pixmill.engine.ipc.messages import Cancelled, FrameReader, LoadFailed, Ready, TaskResult, message_frame, request_frame
from pixmill.engine.task import Failure

FAILURE = Failure(code="crash", stage="decode", message="it died")
MESSAGES = [
    Ready(),
    LoadFailed(FAILURE),
    TaskResult(1, b"result", None, 0.5, {"read": 0.1}, {"bytes_in": 7}),
    TaskResult(2, b"", FAILURE, 0.5, {}, {}),
    Cancelled(3),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 100_000])
def test_messages_are_restored_wherever_the_chunks_end(size):
    stream = b"".join(message_frame(message) for message in MESSAGES)
    reader, received = FrameReader(), []
    for start in range(0, len(stream), size):
        received += reader.messages(stream[start : start + size])
    assert received == MESSAGES


def test_requests_of_several_frames_arrive_in_order():
    stream = request_frame([(1, b"a", 5), (2, b"", 0)]) + request_frame([]) + request_frame([(3, b"x" * 100_000, 9)])
    assert FrameReader().requests(stream) == [(1, b"a", 5), (2, b"", 0), (3, b"x" * 100_000, 9)]


def test_half_a_frame_yields_nothing_yet():
    reader = FrameReader()
    stream = request_frame([(1, b"a", 5)])
    assert reader.requests(stream[:-1]) == []
    assert reader.requests(stream[-1:]) == [(1, b"a", 5)]
