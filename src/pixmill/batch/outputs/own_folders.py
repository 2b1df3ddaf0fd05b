"""The folders that a run writes to. Files in them are never input, whatever path or mount leads to them."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from pixmill.batch.state.identity import FILE, identity_of
from pixmill.batch.state.location import FOLDER
from pixmill.core.text import printable
from pixmill.storage.local.inodes import Inode, holder, inode, is_link, parents, real, real_holder
from pixmill.storage.local.mounts import mounts, views

OUTPUT = "output"  # the reason for ignoring files in an output
MAX_CACHED = 100_000  # folders
SAME_FOLDER_HINT = "inputs are never changed: choose another folder for the outputs"
INSIDE_HINT = "inputs are never changed: choose a separate folder for the outputs"


class OwnFolder(msgspec.Struct, frozen=True):
    """A folder that the run writes to: ``output`` is the DST that it belongs to, empty for state and other folders.

    ``is_part`` means that it lies inside DST but is visible elsewhere through a mount. ``is_by_identity`` means that device and
    inode differ, and only the identity file of the output shows that it is the same folder.
    """

    folder: bytes
    output: bytes = b""
    is_part: bool = False
    is_by_identity: bool = False

    @property
    def reason(self) -> str:
        """Return the reason for ignoring its content; empty if that need not be reported."""
        return OUTPUT if self.output else ""


class OwnFolders:
    """Recognises ``outputs`` (DST, then other folders with outputs) and ``others`` (state, moved images) by device and inode.

    Folders that do not exist yet are looked up again until they do, and so is the identity file of DST, which its first run
    creates. A folder that is mounted twice may have two inodes; the identity file recognises it then.
    """

    def __init__(self, outputs: Sequence[Path] = (), others: Sequence[Path] = ()) -> None:
        """Take local folders, which need not exist."""
        self._outputs = tuple(map(os.fsencode, outputs))
        self._others = tuple(map(os.fsencode, others))
        self._missing = {*self._outputs, *self._others}
        self._expected = {real(path): path for path in self._outputs}  # where outputs that do not exist yet will be
        self._by_inode: dict[Inode, OwnFolder] = {}
        self._identity = ""
        self._enclosing: dict[bytes, OwnFolder | None] = {}

    def with_others(self, others: Sequence[Path]) -> "OwnFolders":
        """Return the same folders plus ``others``."""
        outputs, own_others = (tuple(map(Path, map(os.fsdecode, each))) for each in (self._outputs, self._others))
        return OwnFolders(outputs, (*own_others, *others))

    def refresh(self) -> None:
        """Look up folders that did not exist before. Call it regularly: it costs nothing once all exist."""
        for path in sorted(self._missing):
            self._look_up(path)
        if self._outputs and not self._identity and self._outputs[0] not in self._missing:
            self._identity = identity_of(_as_path(self._outputs[0]))
            if self._identity:
                self._enclosing.clear()

    def find(self, folder: bytes) -> OwnFolder | None:
        """Return the own folder that ``folder`` is, or ``None``; its parents are not checked."""
        folder_inode = inode(folder)
        own = self._by_inode.get(folder_inode) if folder_inode else None
        if own is not None:
            return structs.replace(own, folder=folder)
        if self._identity and identity_of(_as_path(folder)) == self._identity:
            return OwnFolder(folder, self._outputs[0], is_by_identity=True)
        return None

    def find_output(self, folder: bytes) -> OwnFolder | None:
        """Return the output that ``folder`` is or lies in, or ``None``; results are cached."""
        if folder in self._enclosing:
            return self._enclosing[folder]
        if len(self._enclosing) >= MAX_CACHED:
            self._enclosing.clear()
        output, visited = None, [folder]
        for parent in parents(folder) if self._outputs else ():
            if parent in self._enclosing:
                output = self._enclosing[parent]
                break
            visited.append(parent)
            output = self._output_at(parent)
            if output:
                break
        self._enclosing.update(dict.fromkeys(visited, output))
        return output

    def find_output_above(self, folder: bytes) -> OwnFolder | None:
        """Return the same as ``find_output``, without the cache: checks the real parents of ``folder`` up to the root."""
        return next(filter(None, map(self._output_at, parents(folder))), None) if self._outputs else None

    def output_of(self, file: bytes) -> OwnFolder | None:
        """Return the output that ``file`` lies in, or that the link at ``file`` leads into; otherwise ``None``."""
        return self.find_output(holder(file)) or (self.find_output(real_holder(file)) if is_link(file) else None)

    def _output_at(self, folder: bytes) -> OwnFolder | None:
        own = self.find(folder)
        if own is None and self._expected.get(folder) in self._missing:  # a link may lead there before it exists
            own = OwnFolder(folder, self._outputs[0])
        return own if own and own.output else None

    def _look_up(self, path: bytes) -> None:
        own_inode = inode(path)
        if own_inode is None:
            return
        self._missing.discard(path)
        self._enclosing.clear()
        if path not in self._outputs:
            self._by_inode.setdefault(own_inode, OwnFolder(path))
            return
        output = self._outputs[0]
        self._by_inode[own_inode] = OwnFolder(path, output, is_part=path != output)
        for point in views(real(path), mounts()):
            if (view := inode(point)) is not None:
                self._by_inode.setdefault(view, OwnFolder(point, output, is_part=True))


def overlap_error(source: str, own: OwnFolder, *, is_same: bool) -> tuple[str, str]:
    """Return the message and the hint for a ``source`` that is, or lies in, the output ``own``."""
    src, dst = printable(source), printable(own.output)
    if own.is_by_identity:
        relation = "are the same folder" if is_same else "are in the same folder"
        message = f"SRC {src} and DST {dst} {relation}: {printable(own.folder)} has the identity file of DST"
        return message, f"inputs are never changed; if the folder is a copy, remove {printable(own.folder)}/{FOLDER}/{FILE}"
    if is_same:
        return f"SRC {src} and DST {dst} are the same folder", SAME_FOLDER_HINT
    return f"SRC {src} is inside DST {dst}, where outputs could overwrite it", INSIDE_HINT


def _as_path(folder: bytes) -> Path:
    return Path(os.fsdecode(folder))
