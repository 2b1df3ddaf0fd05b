import pytest

from pixmill.core.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9400", "127.0.0.1", 9400),
        (9400, "127.0.0.1", 9400),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:80", "::1", 80),
        ("localhost:0", "localhost", 0),
    ],
)
def test_a_port_alone_is_for_this_machine_only(text, host, port):
    endpoint = Endpoint.from_builtin(text)
    assert (endpoint.host, endpoint.port) == (host, port)
    assert Endpoint.from_builtin(endpoint.to_builtin()) == endpoint


@pytest.mark.parametrize("text", ["", "x", "65536", ":80", "::1", "host:", "host:x", True, "-1", "a b:1"])
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(ValueError, match="a port such as 9400"):
        Endpoint.from_builtin(text)
