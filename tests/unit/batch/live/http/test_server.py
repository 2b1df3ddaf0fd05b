"""The server on a real port."""

import http.client
import socket
import threading
from contextlib import ExitStack, closing, contextmanager

import pytest

from pixmill.batch.live.http.routes import Response
from pixmill.batch.live.http.server import Server
from pixmill.core.bounded_server import MAX_CONNECTIONS
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError
from support.processes import wait_until


class Echo:
    """A site that answers with the address, once it may."""

    def __init__(self):
        self.may = threading.Event()
        self.may.set()
        self.asked = 0

    def respond(self, request):
        self.asked += 1
        assert self.may.wait(60)
        if request.target == "/fault":
            raise ValueError
        return Response(status=200, body=request.target.encode())


@pytest.fixture
def site():
    return Echo()


@pytest.fixture
def server(site):
    server = Server(Endpoint(0), site)
    yield server
    site.may.set()
    server.close()


@contextmanager
def connected(server):
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        yield connection


def ask(server, target="/"):
    with connected(server) as connection:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_connection_serves_many_questions(server):
    with connected(server) as connection:
        for number in range(3):
            connection.request("GET", f"/{number}")
            assert connection.getresponse().read() == b"/%d" % number


def test_a_head_has_no_body(server):
    with connected(server) as connection:
        connection.request("HEAD", "/")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/next")
        assert connection.getresponse().read() == b"/next"


def test_a_fault_costs_its_own_question(server):
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(server, "/fault")
    assert ask(server)[0] == 200


def test_what_is_no_request_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in raw.recv(1000)
    assert ask(server)[0] == 200


def test_who_comes_when_there_are_too_many_is_sent_away(server, site):
    site.may.clear()
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: site.asked == MAX_CONNECTIONS, seconds=60)
        late = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        assert late.recv(1) == b""
        site.may.set()
    wait_until(lambda: not server._listener.connections, seconds=60)
    assert ask(server)[0] == 200


def test_the_last_answers_are_given_before_it_closes(site):
    server = Server(Endpoint(0), site)
    site.may.clear()
    told = []
    asking = threading.Thread(target=lambda: told.append(ask(server, "/last")[1]))
    asking.start()
    wait_until(lambda: site.asked == 1, seconds=60)
    site.may.set()
    server.close()
    asking.join(60)
    assert told == [b"/last"]
    with pytest.raises(ConnectionRefusedError):
        ask(server)


def test_a_port_that_is_taken_is_a_mistake_of_the_configuration(server):
    with pytest.raises(ConfigError, match="cannot listen on"):
        Server(Endpoint(server.port), Echo())
