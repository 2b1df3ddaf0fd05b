"""The failure of a worker says how its process ended."""

import os
import signal
import sys

import pytest

from pixmill.engine.failures import deadline_exceeded, faulthandler_log_without_engine_frames, worker_died
from pixmill.engine.worker import invoke


def status_of(act):
    """Return how a process ends that does ``act``: not forked from this one, whose libraries may have threads."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", f"import os, signal; {act}"], os.environ)
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize(
    ("act", "code", "number", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "out-of-memory", 9, "killed (SIGKILL), probably out of memory"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "crash", 15, "terminated by SIGTERM"),
        (
            "os.kill(os.getpid(), signal.SIGRTMIN + 3)",
            "crash",
            signal.SIGRTMIN + 3,
            f"terminated by signal {signal.SIGRTMIN + 3}",
        ),
        ("os._exit(3)", "crash", 0, "exited with status 3"),
    ],
)
def test_the_failure_of_a_dead_worker_has_a_code_a_signal_and_a_sentence(act, code, number, words):
    failure = worker_died(status_of(act), stage="decode", peak_rss=5, log="noise")
    assert (failure.code, failure.signal, failure.stage, failure.peak_rss, failure.trace) == (code, number, "decode", 5, "noise")
    assert words in failure.message


def test_a_deadline_names_the_stage_and_the_time():
    assert deadline_exceeded(90, stage="decode").message == "still running in stage decode after 90s"
    assert deadline_exceeded(60, stage="").message == "still running after 1m"


def test_frames_of_the_engine_are_no_evidence():
    theirs = 'Fatal Python error: Aborted\n  File "/their/code.py", line 1 in f'
    assert faulthandler_log_without_engine_frames(f'{theirs}\n  File "{invoke.__file__}", line 1 in call\n  File "x"') == theirs
    assert faulthandler_log_without_engine_frames("free(): invalid pointer") == "free(): invalid pointer"
