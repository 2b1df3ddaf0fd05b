"""What differs between systems, on this one and on what Python has on others."""

import os
import resource
import subprocess
import sys

import pytest

from pixmill.core import operating_system
from pixmill.core.errors import ConfigError
from support.other_systems import python

SYNC = """
import fcntl, os
from pixmill.core.operating_system import sync
{before}
calls = []
fsync, os.fsync = os.fsync, lambda descriptor: (calls.append(descriptor), fsync(descriptor))
descriptor = os.open("file", os.O_WRONLY | os.O_CREAT)
try:
    sync(descriptor)
except OSError as error:
    print(error.strerror)
print(len(calls))
"""


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", "1"),  # the kernel does not know the call
        ("fcntl.F_FULLFSYNC = fcntl.F_GETFD", "0"),  # a call that succeeds
    ],
)
def test_macos_syncs_to_the_disk_and_otherwise_as_far_as_the_file_system_can(before, said, tmp_path):
    assert python("macos", SYNC.format(before=before), cwd=tmp_path).stdout.split() == [said]


def test_a_lock_is_held_until_the_file_is_closed(tmp_path):
    first, second = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2))
    operating_system.lock(first)
    with pytest.raises(BlockingIOError):
        operating_system.lock(second, shared=True)
    os.close(first)
    operating_system.lock(second, shared=True)
    os.close(second)


def test_blocks_are_allocated_here_and_cannot_be_on_macos(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        operating_system.allocate(file.fileno(), 4096, 8192)
        assert os.fstat(file.fileno()).st_blocks * 512 >= 8192
    program = """
from pixmill.core.operating_system import allocate
try:
    allocate(1, 0, 1)
except OSError:
    print("refused")
"""
    assert python("macos", program, cwd=tmp_path).stdout == "refused\n"


def test_a_limit_is_lowered_and_never_above_the_hard_one(tmp_path):
    program = """
import resource
from pixmill.core.operating_system import lower_limit, soft_limit
resource.setrlimit(resource.RLIMIT_CPU, (50, 60))
lower_limit("RLIMIT_CPU", 40)
print(soft_limit("RLIMIT_CPU"))
lower_limit("RLIMIT_CPU", 100)
print(soft_limit("RLIMIT_CPU"))
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["40", "60"]


def test_the_limits_are_those_of_this_process():
    assert resource.getrlimit(resource.RLIMIT_NOFILE) in operating_system.limits()
    assert operating_system.soft_limit("RLIMIT_CPU") is None


@pytest.mark.parametrize(("system", "answer"), [("macos", "True"), ("windows", "False")])
def test_there_are_processes_or_a_sentence(system, answer, tmp_path):
    program = "from pixmill.core.operating_system import has_processes; print(has_processes())"
    assert python(system, program, cwd=tmp_path).stdout.split() == [answer]


def test_nothing_is_missing_or_refused_on_linux():
    assert operating_system.missing() == ()
    operating_system.require_processes("pixmill run")
    assert ConfigError.codes["system"]
