"""The folder that the README and docs/howto.md assume, and a shell in which their commands are typed as they stand."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from support.invariants import outputs
from support.processes import wait_until

WIDE, TALL, LOGO, PAGE = (2400, 1600), (1600, 2400), (1200, 1200), (1500, 2000)
CAMERA, COPYRIGHT, GPS, GPS_LATITUDE = 0x010F, 0x8298, 0x8825, 2
INK = 20_000  # of the scanned page, from 0 to 65,535
SECONDS = 120
NO_VARIABLES: Mapping[str, str] = {}
Completed = subprocess.CompletedProcess[str]


class Desk:
    """A folder with ordinary inputs, and a shell in it. ``blocks`` are the commands of a job, one text per fenced block."""

    def __init__(self, folder: Path, blocks: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Take a folder made by ``write_desk``."""
        self.folder = folder
        self.blocks = blocks
        self.environment = dict(environment)

    def type(self, *, code: int = 0, **variables: str) -> str:
        """Type all blocks of the job, the last of which ends with ``code``; return what the last one printed."""
        *first, last = self.blocks
        for block in first:
            self.run(block, variables=variables)
        return self.run(last, code=code, variables=variables)

    def run(self, line: str, *, code: int = 0, variables: Mapping[str, str] = NO_VARIABLES) -> str:
        """Type a line, which has to end with ``code``; return what it printed."""
        ended = subprocess.run(
            ("bash", "-e", "-o", "pipefail", "-c", line),
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ended.returncode == code, f"{line}\n{ended.stdout}{ended.stderr}"
        return ended.stdout + ended.stderr

    @contextmanager
    def started(self, *, until: Callable[[], object], code: int, **variables: str) -> Iterator[None]:
        """Type the block, run the body, wait until ``until()`` holds, and press Ctrl-C, after which it has to end with ``code``."""
        process = subprocess.Popen(
            ("bash", "-c", *self.blocks),
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
            wait_until(lambda: process.poll() is not None or until(), seconds=SECONDS)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(SECONDS) == code
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def made(self, folder: str = "web") -> set[str]:
        """Return the names of all outputs in ``folder``."""
        return set(outputs(self.folder / folder))

    def open(self, name: str) -> Image.Image:
        """Return a decoded picture."""
        with Image.open(self.folder / name) as picture:
            picture.load()
            return picture

    def size(self, name: str) -> tuple[int, int]:
        """Return the width and height of a picture."""
        return self.open(name).size

    def damage(self, name: str) -> None:
        """Cut off the second half of a file."""
        path = self.folder / name
        os.truncate(path, path.stat().st_size // 2)


def shell_environment(folder: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose PATH leads first to the pixmill and the Python of this checkout; ``folder`` keeps the two."""
    folder.mkdir()
    for name, words in {"pixmill": (sys.executable, "-m", "pixmill"), "python3": (sys.executable,)}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (folder / name).chmod(0o755)
    return {**inherited, "PATH": f"{folder}{os.pathsep}{inherited['PATH']}"}


def write_desk(root: Path) -> Path:
    """Write everything that the two pages take as given, except what needs a server; return ``root``."""
    photos = root / "photos"
    _photo(photos / "IMG_0001.jpg", WIDE, exif=_metadata())
    _photo(photos / "2026" / "IMG_0002.JPG", TALL)
    _photo(photos / "drafts" / "IMG_0003.jpg", WIDE)
    _drawing(photos / "logo.png", LOGO)
    _phone(root / "phone")
    _scan(root / "scans" / "page.png")
    _clip(root / "clips" / "waves.gif")
    _drawing(root / "logo.png", (400, 100))
    for name in ("photo.jpg", "other.jpg", "cardA/DCIM/IMG_0001.jpg", "cardB/DCIM/IMG_0001.jpg"):
        _photo(root / name, WIDE)
    (root / "cache").mkdir()
    shutil.copy(root / "photo.jpg", root / "cache" / "0a1b2c")
    (root / "links").mkdir()
    (root / "links" / "one.jpg").symlink_to("../photo.jpg")
    (root / "links" / "year").symlink_to("../photos/2026")
    (root / "inbox").mkdir()
    with zipfile.ZipFile(root / "photos.zip", "w") as archive:
        archive.write(root / "photo.jpg", "trip/a.jpg")
        archive.write(root / "other.jpg", "trip/b.jpg")
    return root


def _photo(path: Path, size: tuple[int, int], **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = Image.linear_gradient("L")
    bands = (ramp, ramp.transpose(Image.Transpose.ROTATE_90), Image.new("L", ramp.size, 90))
    Image.merge("RGB", [band.resize(size) for band in bands]).save(path, "JPEG", quality=95, **options)


def _drawing(path: Path, size: tuple[int, int]) -> None:
    """Write a red square on a transparent ground."""
    picture = Image.new("RGBA", size)
    picture.paste((200, 30, 30, 255), (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    picture.save(path)


def _metadata() -> Image.Exif:
    exif = Image.Exif()
    exif[CAMERA], exif[COPYRIGHT] = "Kamera", "Jo Doe"
    exif[GPS] = {1: "N", GPS_LATITUDE: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)}
    return exif


def _phone(folder: Path) -> None:
    _photo(folder / "IMG_0004.jpg", WIDE)
    try:
        from pillow_heif import from_pillow  # noqa: PLC0415  # an extra
    except ImportError:
        return
    with Image.open(folder / "IMG_0004.jpg") as photo:
        from_pillow(photo.resize((800, 600))).save(folder / "IMG_0005.HEIC", exif=_metadata().tobytes())


def _scan(path: Path) -> None:
    """Write a 16-bit gray page with a white margin of 100 pixels."""
    path.parent.mkdir()
    page = np.full((PAGE[1], PAGE[0]), 65_535, np.uint16)
    page[100:-100, 100:-100] = INK  # Pillow's paste would set both bytes to the same value
    Image.fromarray(page).save(path)


def _clip(path: Path) -> None:
    path.parent.mkdir()
    first, *others = [Image.new("L", (320, 240), shade) for shade in (0, 90, 200)]
    first.save(path, save_all=True, append_images=others, duration=100, loop=0)
