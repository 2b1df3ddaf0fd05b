"""No module needs what only some systems have, just to be imported: such modules and names are taken away first."""

import json
import subprocess
import sys

import pytest

from support.other_systems import python

IMPORT_ALL = """
import importlib, json, pkgutil, sys, pixmill
failed = {}
names = [each.name for each in pkgutil.walk_packages(pixmill.__path__, "pixmill.")]
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = repr(error)
print(json.dumps([sys.platform, len(names), failed]))
"""


@pytest.mark.parametrize(("system", "platform"), [("macos", "darwin"), ("windows", "win32")])
def test_every_module_is_imported_without_what_linux_alone_or_posix_alone_has(system, platform, tmp_path):
    ended = python(system, IMPORT_ALL, cwd=tmp_path)
    found, count, failed = json.loads(ended.stdout)
    assert (found, failed) == (platform, {})
    assert count > 600


ABSENT = {
    "macos": ["os.memfd_create", "os.O_PATH", "os.sched_getaffinity", "select.epoll", "libc().prctl", "os.listdir('/proc')"],
    "windows": ["os.fork", "os.O_NOFOLLOW", "os.geteuid", "signal.SIGHUP", "signal.SIGKILL", "socket.AF_UNIX", "libc()", "fcntl()"],
}
EVALUATE = """
import ctypes, importlib, os, select, signal, socket
libc = lambda: ctypes.CDLL(None)
fcntl = lambda: importlib.import_module("fcntl")
for word in WORDS:
    try:
        eval(word)
    except Exception:
        print(word)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="they are taken away from Linux")
@pytest.mark.parametrize("system", ABSENT)
def test_what_is_taken_away_is_absent_there_and_present_here(system, tmp_path):
    program = EVALUATE.replace("WORDS", repr(ABSENT[system]))
    assert python(system, program, cwd=tmp_path).stdout.splitlines() == ABSENT[system]
    here = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert here.stdout == ""
