"""What a host sees of folders. As a program (``program("host_view")`` with FOLDER...), it prints a JSON list, an entry for each.

Each is ``null`` if the folder does not exist; else ``identity`` tells whether two hosts see the same folder, and ``files`` has the
inode, the modification time and the digest of each file below it, by relative path, except those of the state folder, whose
names are in ``state``.
"""

import json
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

STATE = ".pixmill"


def view(folder: Path) -> dict[str, Any] | None:
    """Return what this process sees of ``folder``."""
    if not folder.is_dir():
        return None
    stat, files, state = folder.stat(), {}, []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if STATE in name.parts:
            state.append(str(name))
        elif path.is_file():
            files[str(name)] = [path.stat().st_ino, path.stat().st_mtime_ns, blake2b(path.read_bytes(), digest_size=16).hexdigest()]
    return {"identity": [stat.st_dev, stat.st_ino], "files": files, "state": state}


if __name__ == "__main__":
    json.dump([view(Path(folder)) for folder in sys.argv[1:]], sys.stdout)
