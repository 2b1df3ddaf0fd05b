"""A step that does to its worker what the height of a picture says: the poison of the fault tests."""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

HOARD = []


def hang():
    ctypes.CDLL(None).pause()


def leak():
    while len(HOARD) < 4_000:
        HOARD.append(os.urandom(1_000_000))


def grow():
    HOARD.append(os.urandom(2_000_000))


def be_patient():
    """Last until so many neighbours are done, if any are to be waited for: whoever starves them waits in vain."""
    folder, wanted = os.environ.get("PATIENT_FOLDER"), int(os.environ.get("PATIENT_COUNT", "0"))
    end = time.monotonic() + 100
    while folder and sum(1 for _ in Path(folder).rglob("*small*.jpg")) < wanted:
        if time.monotonic() > end:
            raise TimeoutError("the small ones were starved")
        time.sleep(0.02)


def by(number):
    return lambda: os.kill(os.getpid(), number)


def coordinator():
    """Return the process that runs the workers: this one, where there are none."""
    if os.environ.get("PIXMILL_WORKER") != str(os.getpid()):
        return os.getpid()
    stat = Path(f"/proc/{os.getppid()}/stat").read_text()  # of the fork server
    return int(stat.rpartition(")")[2].split()[1])


def kill_the_run():
    os.kill(coordinator(), signal.SIGKILL)


def kill_the_run_together():
    """Kill the run if another worker does this within a second."""
    name_process(b"together")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if processes_named(b"together") > 1:
            kill_the_run()
        time.sleep(0.02)
    name_process(b"alone")


def name_process(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME


def processes_named(name):
    """Return the number of living processes of this name: a zombie keeps it."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            start, _, end = stat.read_bytes().rpartition(b") ")
            count += start.endswith(b"(" + name) and not end.startswith(b"Z")
    return count


FATES = {
    201: lambda: ctypes.string_at(0),
    202: os.abort,
    203: by(signal.SIGBUS),
    204: by(signal.SIGILL),
    205: by(signal.SIGFPE),
    206: by(signal.SIGKILL),
    207: lambda: os._exit(7),
    208: hang,
    209: by(signal.SIGSTOP),
    210: leak,
    211: grow,
    212: lambda: time.sleep(0.05),
    213: by(signal.SIGTRAP),
    214: be_patient,
    215: kill_the_run,
    216: lambda: time.sleep(600),
    217: kill_the_run_together,
}


def fate(image):
    FATES.get(image.pixels.height, int)()
    return image


def nap(image):
    time.sleep(0.2)
    return image
