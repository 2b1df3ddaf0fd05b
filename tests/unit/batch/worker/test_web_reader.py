"""Images of the web: how long to wait before another request, and what is read ahead."""

import pytest

from pixmill.batch.worker.options import MAX_AHEAD_BYTES
from pixmill.batch.worker.web_reader import MAX_REFUSED_TIME, PAUSE_AFTER_ERROR, PAUSE_AFTER_SILENCE, HostPauses, WebReader, is_web
from pixmill.core.errors import ReadError
from pixmill.storage.address import Address
from support.web_server import Answer, serving

HOST = b"http://example.org"


@pytest.fixture
def answers():
    return {"/a.jpg": Answer(b"content")}


@pytest.fixture
def server(answers):
    with serving(answers) as server:
        yield server


def reader(*, limit=10**9, timeout=0.0, policy=b"", **options):
    return WebReader(Address("multi", b"#private=1" + policy), limit=limit, timeout=timeout, **options)


def locator(server, path):
    return b"\0" + server.url.encode() + path


def refusal(call, *arguments):
    with pytest.raises(ReadError) as raised:
        call(*arguments)
    return raised.value


def test_only_urls_are_of_the_web():
    assert is_web(b"\0https://example.org/a.jpg")
    assert not any(map(is_web, (b"\0/srv/a.jpg", b"\0s3://bucket/a.jpg", b"a.jpg", b"")))


@pytest.mark.parametrize("ahead", [True, False])
def test_a_server_in_trouble_gets_one_request_and_time(server, answers, ahead):
    web = reader()
    read = web.read_ahead if ahead else web.read
    answers["/a.jpg"] = Answer(status=500)
    error = refusal(read, locator(server, b"/a.jpg"))
    assert (error.retryable, error.retry_after, len(server.asked)) == (True, PAUSE_AFTER_ERROR, 1)
    answers["/a.jpg"] = Answer(b"content")
    assert read(locator(server, b"/a.jpg")) == b"content"


def test_a_silent_server_gets_less_time(server, answers):
    answers["/a.jpg"] = Answer(b"content", pause=60)
    error = refusal(reader(policy=b"&read-timeout=0.2").read, locator(server, b"/a.jpg"))
    assert (error.code, error.retry_after) == ("read-stalled", PAUSE_AFTER_SILENCE)


def test_a_host_that_is_busy_gets_no_request_until_it_wants_one(server, answers):
    web = reader()
    answers["/busy.jpg"] = Answer(status=429, headers={"Retry-After": "120"})
    for path in (b"/busy.jpg", b"/a.jpg"):
        error = refusal(web.read_ahead, locator(server, path))
        assert error.code == "throttled"
        assert 100 < error.retry_after <= 120
    assert len(server.asked) == 1


def test_images_fail_of_a_host_that_answers_nothing_else_for_long(server, answers):
    now = 0.0
    web = reader(clock=lambda: now)
    answers["/busy.jpg"] = Answer(status=503)

    def code():
        error = refusal(web.read, locator(server, b"/busy.jpg"))
        return error.code, error.retryable

    assert code() == ("throttled", True)
    now = MAX_REFUSED_TIME - 1
    assert code() == ("throttled", True)
    now = MAX_REFUSED_TIME + 1
    assert code() == code() == ("read", False)  # of a request, and of one that is not sent
    assert len(server.asked) == 3
    now += 100
    assert web.read(locator(server, b"/a.jpg")) == b"content"
    assert code() == ("throttled", True)
    now += MAX_REFUSED_TIME
    assert refusal(web.read, locator(server, b"/gone.jpg")).code == "read-vanished"
    assert code() == ("throttled", True)


def test_pauses_grow_until_the_host_answers():
    now = 100.0
    pauses = HostPauses(clock=lambda: now)
    lengths = []
    for _ in range(7):
        lengths.append(pauses.extend(HOST, 0.0))
        assert pauses.extend(HOST, 0.0) == lengths[-1]  # of a request that was on its way
        now += lengths[-1]
    assert lengths == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert pauses.left(HOST) == 0.0
    pauses.clear(HOST)
    assert pauses.extend(HOST, 0.0) == 1.0


def test_a_large_image_is_not_read_ahead(server, answers):
    answers["/large.jpg"] = Answer(bytes(MAX_AHEAD_BYTES + 1))
    web = reader()
    assert web.read_ahead(locator(server, b"/large.jpg")) is None
    assert len(web.read(locator(server, b"/large.jpg"))) == MAX_AHEAD_BYTES + 1
    assert refusal(reader(limit=5).read_ahead, locator(server, b"/a.jpg")).code == "limit-bytes"
