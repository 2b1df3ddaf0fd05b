import pytest

from pixmill.batch.live.http.access import AccessControl, access_control, is_loopback
from pixmill.core.endpoint import Endpoint


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1:8642", True),
        ("127.0.0.1", True),
        ("[::1]:8642", True),
        ("192.168.1.7:8642", True),
        ("localhost:8642", True),
        ("LOCALHOST.", True),
        ("photos.example:8642", True),
        ("here", True),
        ("evil.example:8642", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:8642", False),
        ("", False),
        ("[", False),
    ],
)
def test_only_addresses_and_names_of_this_machine_are_answered_to(host, is_ours):
    watchful = AccessControl(Endpoint(8642, host="photos.example"), token="", names={"here"})
    assert watchful.is_own_host(host) == is_ours


def test_a_token_may_come_as_query_cookie_or_bearer():
    watchful = AccessControl(Endpoint(8642, host="0.0.0.0"), token="secret")
    assert watchful.is_authorised(query="secret")
    assert watchful.is_authorised(cookies="a=b; pixmill-8642=secret")
    assert watchful.is_authorised(authorization="Bearer secret")
    for wrong in (
        {},
        {"query": "Secret"},
        {"cookies": "pixmill-1=secret"},
        {"authorization": "Basic secret"},
        {"query": "\udcff"},
        {"cookies": "pixmill-8642"},
    ):
        assert not watchful.is_authorised(**wrong)


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("photos", False),
    ],
)
def test_a_token_is_needed_wherever_other_machines_can_reach(host, only_here):
    assert is_loopback(host) == only_here
    assert (access_control(Endpoint(1, host=host)).token == "") == only_here


def test_every_run_has_another_token():
    tokens = {access_control(Endpoint(1, host="0.0.0.0")).token for _ in range(10)}
    assert len(tokens) == 10
    assert min(map(len, tokens)) >= 32
