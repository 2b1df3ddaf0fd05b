"""A step that does to its worker what the height of a picture says: the poison of the fault tests."""

import ctypes
import os
import signal
import time
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
}


def fate(image):
    FATES.get(image.pixels.height, int)()
    return image
