"""Images by URL: what is read, what is refused, and what is worth another try."""

import gzip
import socket
import threading
import weakref
import zlib
from contextlib import suppress

import pytest

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.units import Rate, TimeLimit
from pixmill.storage.open import open_storage
from pixmill.storage.web.client import Client
from pixmill.storage.web.policy import RequestPolicy
from pixmill.storage.web.storage import WebStorage
from pixmill.storage.web.url import Url, redacted, redirected
from support.ports import HOST, free_port
from support.web_server import Answer, serving

DATA = bytes(range(256)) * 40
MARK = {"ETag": '"abc"', "Last-Modified": "Tue, 15 Nov 1994 12:45:26 GMT"}


@pytest.fixture
def answers():
    return {"/a.jpg": Answer(DATA, headers=MARK)}


@pytest.fixture
def server(answers):
    with serving(answers) as server:
        yield server


@pytest.fixture
def storage(server):
    return open_storage(server.url + "#private=1")


def refusal(call):
    with pytest.raises(ReadError) as raised:
        call()
    return raised.value


def test_a_client_is_freed_with_its_last_reference_even_after_a_failed_request():
    client = Client(RequestPolicy(allow_private=True))
    left = weakref.ref(client)
    with suppress(ReadError), client.request("GET", f"http://{HOST}:{free_port()}/a.jpg", {}):
        pass
    del client
    assert left() is None  # without a collection, which may be long in coming


def test_an_image_is_read_in_one_request(storage, server):
    assert storage.read(b"a.jpg", limit=len(DATA)) == DATA
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("GET", "/a.jpg")
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["Host"] == server.url.removeprefix("http://")


def test_an_entry_has_the_size_and_the_tag_that_the_server_tells(storage, answers):
    entry = storage.stat(b"a.jpg")
    assert (entry.path, entry.size, entry.version) == (b"a.jpg", len(DATA), b'"abc"')
    answers["/a.jpg"] = Answer(DATA, headers={"Last-Modified": MARK["Last-Modified"]})
    assert storage.stat(b"a.jpg").version == MARK["Last-Modified"].encode()
    answers["/a.jpg"] = Answer(DATA)
    assert storage.stat(b"a.jpg").version == b""
    assert storage.stat(b"gone.jpg") is None


def test_the_time_of_a_file_is_what_the_server_tells(storage, answers):
    assert storage.modified_ns(b"a.jpg") == 784_903_526 * 1_000_000_000
    for headers in ({}, {"Last-Modified": "yesterday"}):
        answers["/a.jpg"] = Answer(DATA, headers=headers)
        assert storage.modified_ns(b"a.jpg") is None


def test_a_server_without_head_requests_gets_a_get_request(storage, answers):
    answers["/a.jpg"] = lambda asked: Answer(status=405) if asked.method == "HEAD" else Answer(DATA, headers=MARK)
    assert storage.stat(b"a.jpg").size == len(DATA)


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_head_is_the_first_bytes_also_of_a_server_without_ranges(storage, answers, takes_ranges):
    answers["/a.jpg"] = Answer(DATA, takes_ranges=takes_ranges)
    assert storage.head(b"a.jpg", 100) == DATA[:100]
    assert storage.head(b"a.jpg", 1_000_000) == DATA
    answers["/a.jpg"] = Answer(b"", takes_ranges=takes_ranges)
    assert storage.head(b"a.jpg", 100) == b""


def test_a_locator_is_requested_unchanged_and_a_path_is_encoded(storage, server, answers):
    answers["/a%2Fb.jpg?w=1&h=2"] = answers["/d/a%20b%3F%23%25%FF.jpg"] = Answer(DATA)
    place = b"\0" + server.url.removeprefix("http://").encode() + b"/a%2Fb.jpg?w=1&h=2"
    assert storage.read(place, limit=20_000) == DATA
    assert storage.read(b"d/a b?#%\xff.jpg", limit=20_000) == DATA


def test_one_connection_serves_many_requests(storage, server):
    ports = set()
    original = server.answer

    def noted(handler):
        ports.add(handler.client_address)
        original(handler)

    server.answer = noted
    for _ in range(5):
        storage.read(b"a.jpg", limit=20_000)
    assert len(ports) == 1


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(storage, answers):
    answers["/a.jpg"] = Answer(DATA, headers={"Keep-Alive": "timeout=0"})
    assert storage.read(b"a.jpg", limit=20_000) == DATA
    for connection in storage._client._connections.values():
        connection.sock._sock.shutdown(socket.SHUT_RDWR)
    assert storage.read(b"a.jpg", limit=20_000) == DATA


@pytest.mark.parametrize(
    ("status", "code"), [(404, "read-vanished"), (410, "read-vanished"), (401, "read-denied"), (403, "read-denied"), (400, "read")]
)
def test_what_will_not_be_there_later_is_final(storage, answers, status, code):
    answers["/a.jpg"] = Answer(status=status)
    error = refusal(lambda: storage.read(b"a.jpg", limit=9))
    assert (error.code, error.retryable) == (code, False)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_what_may_be_there_later_is_worth_another_try(storage, answers, status):
    answers["/a.jpg"] = Answer(status=status)
    assert refusal(lambda: storage.read(b"a.jpg", limit=9)).retryable


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("999999999", 600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600),
    ],
)
def test_throttling_and_its_retry_after_are_understood(storage, answers, status, asked, seconds):
    answers["/a.jpg"] = Answer(status=status, headers={"Retry-After": asked})
    error = refusal(lambda: storage.read(b"a.jpg", limit=9))
    assert (error.code, error.retryable, error.retry_after) == ("throttled", True, seconds)


def test_an_image_beyond_the_limit_is_not_downloaded(storage, answers):
    answers["/a.jpg"] = Answer(DATA, headers={"Content-Length": str(10**12)}, pause=60)
    assert refusal(lambda: storage.read(b"a.jpg", limit=1000)).code == "limit-bytes"


def test_the_download_of_an_image_of_unknown_size_stops_at_the_limit(storage, answers):
    answers["/a.jpg"] = Answer(DATA, headers={"Content-Length": "", "Connection": "close"})
    assert refusal(lambda: storage.read(b"a.jpg", limit=len(DATA) - 1)).code == "limit-bytes"
    assert storage.read(b"a.jpg", limit=len(DATA)) == DATA


def test_fewer_bytes_than_announced_are_worth_another_try(storage, answers):
    answers["/a.jpg"] = Answer(DATA, cut=True)
    error = refusal(lambda: storage.read(b"a.jpg", limit=20_000))
    assert (error.code, error.retryable) == ("read-cut-off", True)


def test_chunks_that_end_too_soon_are_worth_another_try(storage, answers):
    chunked = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    answers["/a.jpg"] = Answer(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", headers=chunked)
    assert storage.read(b"a.jpg", limit=7) == b"abcdefg"
    answers["/a.jpg"] = Answer(b"ff\r\nabc", headers={**chunked, "Connection": "close"})
    assert refusal(lambda: storage.read(b"a.jpg", limit=1000)).code == "read-cut-off"
    answers["/a.jpg"] = Answer(b"no number\r\n", headers={**chunked, "Connection": "close"})
    assert refusal(lambda: storage.read(b"a.jpg", limit=1000)).retryable


def test_a_server_that_stops_sending_times_out(server, answers):
    answers["/a.jpg"] = Answer(DATA, pause=60)
    storage = WebStorage(server.url + "/", Client(RequestPolicy(allow_private=True, read_timeout=0.2)))
    error = refusal(lambda: storage.read(b"a.jpg", limit=20_000))
    assert (error.code, error.retryable) == ("read-stalled", True)


def test_a_server_that_sends_byte_by_byte_is_given_up_at_the_deadline():
    def trickle(listener):
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                connection.sendall(b".")
                given_up.wait(0.05)

    given_up = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=trickle, args=(listener,), daemon=True).start()
        storage = open_storage(f"http://127.0.0.1:{listener.getsockname()[1]}#private=1&read-timeout=5&timeout=0.5")
        assert refusal(lambda: storage.read(b"a.jpg", limit=1000)).code == "read-stalled"
        given_up.set()


def test_a_server_that_is_not_there_is_worth_another_try():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        storage = open_storage(f"http://127.0.0.1:{unused.getsockname()[1]}#private=1")
        assert refusal(lambda: storage.read(b"a.jpg", limit=9)).retryable


def test_what_does_not_speak_http_is_worth_another_try():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

        threading.Thread(target=serve, daemon=True).start()
        storage = open_storage(f"http://127.0.0.1:{listener.getsockname()[1]}#private=1")
        assert refusal(lambda: storage.read(b"a.jpg", limit=9)).retryable


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_unrequested_compression_is_undone(storage, answers, encoding, pack):
    answers["/a.jpg"] = Answer(pack(DATA), headers={"Content-Encoding": encoding}, takes_ranges=False)
    assert storage.read(b"a.jpg", limit=len(DATA)) == DATA
    assert storage.head(b"a.jpg", 10) == DATA[:10]
    answers["/a.jpg"] = Answer(pack(bytes(50_000_000)), headers={"Content-Encoding": encoding})
    assert refusal(lambda: storage.read(b"a.jpg", limit=1_000_000)).code == "limit-bytes"
    answers["/a.jpg"] = Answer(pack(DATA)[:-9], headers={"Content-Encoding": encoding})
    assert refusal(lambda: storage.read(b"a.jpg", limit=20_000)).retryable
    answers["/a.jpg"] = Answer(b"nothing of the kind", headers={"Content-Encoding": encoding})
    assert refusal(lambda: storage.read(b"a.jpg", limit=20_000)).retryable


def test_another_compression_is_refused(storage, answers):
    answers["/a.jpg"] = Answer(DATA, headers={"Content-Encoding": "br"})
    assert not refusal(lambda: storage.read(b"a.jpg", limit=20_000)).retryable


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_followed(storage, answers, status):
    answers["/old.jpg"] = Answer(status=status, headers={"Location": "/b/../older.jpg?x=1"})
    answers["/older.jpg?x=1"] = Answer(status=status, headers={"Location": "a.jpg"})
    assert storage.read(b"old.jpg", limit=20_000) == DATA


def test_redirections_end(storage, server, answers):
    answers["/a.jpg"] = Answer(status=302, headers={"Location": "/a.jpg"})
    error = refusal(lambda: storage.read(b"a.jpg", limit=20_000))
    assert "redirects more than" in error.message
    assert not error.retryable
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "location",
    ["", "ftp://example.org/a.jpg", "file:///etc/passwd", "http://", "http://user:pw@127.0.0.1/", "//[::1", "http://h:99999/"],
)
def test_redirections_that_lead_elsewhere_are_refused(storage, answers, location):
    answers["/a.jpg"] = Answer(status=302, headers={"Location": location})
    error = refusal(lambda: storage.read(b"a.jpg", limit=20_000))
    assert error.code == "read-url"
    assert "pw" not in error.message


def test_what_only_this_machine_can_reach_is_refused_unless_allowed(server):
    error = refusal(lambda: open_storage(server.url).read(b"a.jpg", limit=20_000))
    assert error.code == "read-private"
    assert "--allow-private-hosts" in error.hint
    assert server.asked == []


def test_a_public_name_that_leads_into_this_network_is_refused(server):
    told = iter([["127.0.0.1"], ["10.0.0.1", "169.254.169.254"], ["::ffff:127.0.0.1"]])
    client = Client(RequestPolicy(), lookup=lambda host, port: next(told))  # noqa: ARG005  # whatever is asked for
    for _ in range(3):
        assert refusal(lambda: WebStorage("http://example.org/", client).read(b"a.jpg", limit=9)).code == "read-private"
    assert server.asked == []


def test_a_redirection_is_checked_like_any_other_address(server, answers):
    """``here`` is let through by an exception for this test; where it redirects to is not."""
    port = int(server.url.rpartition(":")[2])
    answers["/a.jpg"] = Answer(status=302, headers={"Location": f"http://inside:{port}/secret"})
    addresses = {"here": ["127.0.0.1"], "inside": []}
    client = Client(RequestPolicy(allow_private=True), lookup=lambda host, port: addresses[host])  # noqa: ARG005  # the port does not matter
    storage = WebStorage(f"http://here:{port}/", client)
    assert refusal(lambda: storage.read(b"a.jpg", limit=9)).code == "read-private"
    assert [asked.target for asked in server.asked] == ["/a.jpg"]


def test_a_redirection_never_leads_from_https_to_http():
    assert redirected(Url.parse("http://a/"), "https://b/").origin == "https://b"
    assert refusal(lambda: redirected(Url.parse("https://a/"), "http://a/")).code == "read-url"


def test_nothing_secret_is_said(storage, answers, server):
    answers["/a.jpg?token=hidden"] = Answer(status=403)
    place = b"\0" + server.url.removeprefix("http://").encode() + b"/a.jpg?token=hidden"
    assert "hidden" not in refusal(lambda: storage.read(place, limit=9)).message
    assert redacted("https://user:hidden@example.org/a?hidden#hidden") == "https://example.org/a"


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("http://example.org", "http://example.org", "/"),
        ("https://Example.org:443/a?b#c", "https://example.org", "/a?b"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080", "/x"),
        ("http://example.org?x=1", "http://example.org", "/?x=1"),
    ],
)
def test_urls_are_taken_apart(text, origin, target):
    url = Url.parse(text)
    assert (url.origin, url.target) == (origin, target)


@pytest.mark.parametrize(
    "text", ["", "a.jpg", "ftp://x/y", "http:///a", "http://a b/", "http://a/\nHost: b", "http://a:b/", "http://u@h/"]
)
def test_what_is_no_url_of_the_web_is_refused(text):
    assert refusal(lambda: Url.parse(text)).code == "read-url"


@pytest.mark.parametrize("fragment", ["nothing", "per-host=0", "per-host=x", "rate=-1", "private=1&more=2"])
def test_an_invalid_policy_is_refused(fragment):
    with pytest.raises(AddressError, match="expected settings"):
        open_storage(f"https://example.org#{fragment}")


@pytest.mark.parametrize(
    "terms",
    [
        RequestPolicy(),
        RequestPolicy(allow_private=True),
        RequestPolicy(per_host=2, rate=0.5),
        RequestPolicy(rate=Rate(2), read_timeout=TimeLimit(1), timeout=TimeLimit(90)),
        RequestPolicy(allow_private=True, per_host=1, rate=3),
    ],
)
def test_a_policy_survives_its_way_through_an_address(terms):
    assert RequestPolicy.parse(str(terms)) == terms


def test_the_web_is_only_read_and_cannot_be_listed(storage, server):
    with pytest.raises(AddressError, match="does not list"):
        list(storage.list())
    for call in (lambda: storage.write(b"a", b"", durable=False), lambda: storage.delete(b"a.jpg")):
        with pytest.raises(RunError) as raised:
            call()
        assert raised.value.code == "read-only"
    assert storage.remove_temporaries() == 0
    assert storage.local_path(b"a.jpg") is None
    assert server.asked == []
