"""Ways in which an output is changed after a run wrote it, and what the next run says of it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from pixmill.batch.item import ImageResult, unpack
from pixmill.engine.ledger import Record

EDIT = b"edited by hand"


def report(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the report of a run with ``--json``."""
    last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return last


def attempts(folder: Path) -> int:
    """Return how many attempts the run has started that wrote ``events.jsonl`` in ``folder``."""
    lines = (folder / "events.jsonl").read_text().splitlines()
    return sum(json.loads(line)["event"] == "attempt_started" for line in lines)


def unpacked(record: Record) -> ImageResult:
    """Return what the ledger keeps of the outputs of an image."""
    return unpack(record.result)


def picture(size: tuple[int, int] = (64, 48), kind: str = "JPEG") -> bytes:
    """Return the bytes of a picture."""
    buffer = BytesIO()
    Image.new("RGB", size, (9, 200, 9)).save(buffer, kind)
    return buffer.getvalue()


def edit_in_place(path: Path) -> None:
    """Change one byte of a file; its size, time and inode stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def other_size(path: Path) -> None:
    """Write something else into a file."""
    path.write_bytes(EDIT)


def same_size(path: Path) -> None:
    """Write as many other bytes into a file."""
    path.write_bytes(bytes(path.stat().st_size))


def same_size_and_time(path: Path) -> None:
    """Replace a file by another with its size and time, as ``exiftool -P -overwrite_original`` does."""
    status = path.stat()
    path.with_name("new").write_bytes(bytes(status.st_size))
    os.utime(path.with_name("new"), ns=(status.st_atime_ns, status.st_mtime_ns))
    path.with_name("new").rename(path)


def replace_by_link(path: Path) -> None:
    """Replace a file by a link to another."""
    shutil.move(path, path.with_name("elsewhere.jpg"))
    path.with_name("elsewhere.jpg").write_bytes(EDIT)
    path.symlink_to("elsewhere.jpg")


def replace_by_dangling_link(path: Path) -> None:
    """Replace a file by a link that leads nowhere."""
    path.unlink()
    path.symlink_to("nowhere.jpg")


def replace_by_folder(path: Path) -> None:
    """Replace a file by an empty folder."""
    path.unlink()
    path.mkdir()


#: by what differs afterwards
CHANGED_FILES: dict[str, Callable[[Path], None]] = {"size": other_size, "time": same_size, "inode": same_size_and_time}
CHANGES = {
    **CHANGED_FILES,
    "link": replace_by_link,
    "dangling link": replace_by_dangling_link,
    "folder": replace_by_folder,
}
