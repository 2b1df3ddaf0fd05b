"""Which addresses are of the public internet."""

import socket

import pytest

from pixmill.core.errors import ReadError
from pixmill.storage.web.resolver import allowed_addresses, resolve
from pixmill.storage.web.special_addresses import is_public


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808", "2002:808:808::1"])
def test_public_addresses_are_reachable(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "2002:7f00:1::1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1",
        "192.0.0.192", "192.0.0.9", "168.63.129.16", "192.88.99.1", "64:ff9b:1::1", "64:ff9b:1:7f00:1::", "::127.0.0.1",
        "::808:808", "::ffff:0:127.0.0.1", "fec0::1", "3fff::1", "5f00::1", "100::1", "100:0:0:1::1", "2001::1",
        "2001:0:808:808::1", "4000::1",
        "2002:c0a8:101::1", "::ffff:192.0.0.192", "fe00::1",
    ],
)  # fmt: skip
def test_what_only_this_machine_or_its_network_can_reach_is_not_public(address):
    assert not is_public(address)


def test_of_a_host_with_both_kinds_only_the_public_addresses_are_used():
    found = ["10.0.0.1", "8.8.8.8", "::1"]
    assert allowed_addresses("example.org", 80, allow_private=False, lookup=lambda *_: found) == ["8.8.8.8"]
    assert allowed_addresses("example.org", 80, allow_private=True, lookup=lambda *_: found) == found


@pytest.mark.parametrize(("number", "passes"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)])
def test_an_unknown_host_is_final_unless_the_lookup_failed_temporarily(number, passes):
    def fails(*_):
        raise socket.gaierror(number, "no answer")

    with pytest.raises(ReadError) as raised:
        allowed_addresses("example.org", 80, allow_private=False, lookup=fails)
    assert (raised.value.code, raised.value.retryable) == ("read-host", passes)


@pytest.mark.parametrize("host", ["a" * 64 + ".org", "a..b"])
def test_a_name_that_is_none_is_refused(host):
    with pytest.raises(ReadError) as raised:
        allowed_addresses(host, 80, allow_private=True)
    assert raised.value.code == "read-host"


@pytest.mark.parametrize("spelling", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"])
def test_every_spelling_of_this_machine_is_seen_through(spelling):
    try:
        resolve(spelling, 80)
    except OSError:
        pytest.skip("this system does not know the spelling")
    with pytest.raises(ReadError) as raised:
        allowed_addresses(spelling, 80, allow_private=False)
    assert raised.value.code == "read-private"
