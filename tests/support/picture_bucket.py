"""Pictures in a bucket, as the source of a run, and where its outputs go."""

import itertools
import os
from pathlib import Path

from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage

_numbers = itertools.count()


class PictureBucket:
    """Copies of the pictures in a folder, below a prefix of its own: ``source``, and an empty ``destination`` beside it."""

    def __init__(self, bucket: str, folder: Path, *, scheme: str = "s3") -> None:
        """Copy the pictures in ``folder`` to ``bucket``."""
        self.root = f"{scheme}://{bucket}/pictures/{next(_numbers)}"
        self.source, self.destination = f"{self.root}/in", f"{self.root}/out"
        source = open_storage(self.source)
        for path in sorted(folder.rglob("*.jpg")):
            source.write(os.fsencode(path.relative_to(folder)), path.read_bytes(), durable=True)

    def outputs(self) -> dict[str, bytes]:
        """Return the content of each output by its name."""
        storage = open_storage(self.destination)
        return {os.fsdecode(path): storage.read(path, limit=1 << 24) for path in self.versions()}

    def versions(self) -> dict[bytes, Entry]:
        """Return the entry of each output by its name."""
        listings = open_storage(self.destination).list(descend=lambda path: path != b".pixmill")
        return {entry.path: entry for each in listings for entry in each}
