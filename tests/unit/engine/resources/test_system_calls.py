"""The numbers of system calls are those of the kernel's headers."""

import re
from pathlib import Path

import pytest

from pixmill.engine.resources import system_calls

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
GROUPS = ("NETWORK", "TIMES", "ALWAYS", "UNKNOWN", "SIGNALS", "LIMITS")
CALLS = {name: call for group in GROUPS for name, call in getattr(system_calls, group).items()}


@pytest.mark.parametrize("machine", HEADERS)
def test_they_are_those_of_the_headers(machine):
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not there (apt install linux-libc-dev)")
    defined = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())}
    ours = {name: getattr(call, machine) for name, call in CALLS.items()}
    differing = {name: (number, defined[name]) for name, number in ours.items() if name in defined and number != defined[name]}
    assert differing == {}
    newest = max(defined.values())
    assert [name for name, number in ours.items() if name not in defined and 0 <= number <= newest] == []
    assert [name for name, number in ours.items() if number < 0 and name in defined and machine == "x86_64"] == []


def test_no_call_is_in_two_groups():
    assert len(CALLS) == sum(len(getattr(system_calls, group)) for group in GROUPS)
