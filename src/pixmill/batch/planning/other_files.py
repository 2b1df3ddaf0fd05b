"""DST that is named like a file pixmill does not write as such, such as ``train.tar`` or ``list.csv``: no folder is meant."""

import os
import re

from pixmill.batch.datasets.packing import packings
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address

_ARCHIVE = "an archive"
_KINDS = {
    **dict.fromkeys(("zip", "7z", "rar", "tgz", "tbz2", "txz", "gz", "bz2", "xz", "zst"), _ARCHIVE),
    **dict.fromkeys(("csv", "tsv", "jsonl", "ndjson", "json", "txt", "toml"), "a text file"),
    **dict.fromkeys(("pdf", "html", "docx", "pptx"), "a document"),
    **dict.fromkeys(("mp4", "mov", "mkv", "webm", "avi"), "a video"),
}


def refuse_other_file(destination: Address) -> None:
    """Raise ``AddressError`` if ``destination`` does not exist, and looks like a file of another kind: no slash at its end."""
    shown, location = str(destination), os.fsdecode(destination.location)
    if destination.local and os.path.exists(location):  # noqa: PTH110  # pathlib may raise instead
        return
    folder = f"for a folder of this name write {shown}/"
    for scheme, packing in packings():
        if location.lower().endswith(packing.suffix) and location.rpartition("/")[2] != packing.suffix:
            dataset = f"{scheme}://{shown[: -len(packing.suffix)]}"
            message = f"DST {shown} looks like a file, but the outputs go into a folder or a dataset"
            raise AddressError(message, hint=f"for a dataset of {packing.suffix} files write {dataset}; {folder}")
    extension = re.search(r"[^/.]\.(\w+)$", location)
    if extension and (kind := _KINDS.get(extension[1].lower())):
        raise AddressError(f"DST {shown} looks like {kind}, but the outputs go into a folder", hint=f"choose another DST; {folder}")
