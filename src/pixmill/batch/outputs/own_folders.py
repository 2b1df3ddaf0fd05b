"""The folders that a run writes to: what lies in them is never input, by whatever path or mount they are reached."""

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

OUTPUT = "output"  # the reason why something in an output is ignored
CACHED = 100_000  # folders whose answer is remembered


class OwnFolder(msgspec.Struct, frozen=True):
    """A folder that is one of a run's own: ``output`` is the DST that it is, empty for another kind of folder.

    ``is_part`` says that it lies in DST, though a mount shows it elsewhere. ``is_by_mark`` says that device and inode differ, and
    only the identity file of the output tells.
    """

    folder: bytes
    output: bytes = b""
    is_part: bool = False
    is_by_mark: bool = False

    @property
    def reason(self) -> str:
        """Return why what is in it is ignored; empty where that is not worth a word."""
        return OUTPUT if self.output else ""


class OwnFolders:
    """Knows ``outputs`` (DST, then what else holds results) and ``others`` (state, moved images) by device and inode.

    Those that do not exist yet are looked for again until they do; so is the identity file of DST, which its first run makes.
    One folder that is mounted twice may have two inodes, and then that file is how it is known.
    """

    def __init__(self, outputs: Sequence[Path] = (), others: Sequence[Path] = ()) -> None:
        """Take folders of this machine, which need not exist."""
        self._outputs = tuple(map(os.fsencode, outputs))
        self._others = tuple(map(os.fsencode, others))
        self._missing = {*self._outputs, *self._others}
        self._ahead = {real(path): path for path in self._outputs}  # where an output will be that does not exist yet
        self._found: dict[Inode, OwnFolder] = {}
        self._mark = ""
        self._above: dict[bytes, OwnFolder | None] = {}

    def with_others(self, others: Sequence[Path]) -> "OwnFolders":
        """Return the same folders and ``others``."""
        outputs, known = (tuple(map(Path, map(os.fsdecode, each))) for each in (self._outputs, self._others))
        return OwnFolders(outputs, (*known, *others))

    def refresh(self) -> None:
        """Look for what did not exist before. To be called now and then: once all is there it costs nothing."""
        for path in sorted(self._missing):
            self._look_for(path)
        if self._outputs and not self._mark and self._outputs[0] not in self._missing:
            self._mark = identity_of(_as_path(self._outputs[0]))
            if self._mark:
                self._above.clear()

    def find(self, folder: bytes) -> OwnFolder | None:
        """Return what ``folder`` is of a run's own, if it is; folders around it are not looked at."""
        seen = inode(folder)
        known = self._found.get(seen) if seen else None
        if known is not None:
            return structs.replace(known, folder=folder)
        if self._mark and identity_of(_as_path(folder)) == self._mark:
            return OwnFolder(folder, self._outputs[0], is_by_mark=True)
        return None

    def find_output(self, folder: bytes) -> OwnFolder | None:
        """Return the output that ``folder`` is or lies in, if it does; what was found once is remembered."""
        if folder in self._above:
            return self._above[folder]
        if len(self._above) >= CACHED:
            self._above.clear()
        found, new = None, [folder]
        for parent in parents(folder) if self._outputs else ():
            if parent in self._above:
                found = self._above[parent]
                break
            new.append(parent)
            found = self._output_at(parent)
            if found:
                break
        self._above.update(dict.fromkeys(new, found))
        return found

    def find_output_above(self, folder: bytes) -> OwnFolder | None:
        """Return what ``find_output`` does, looking anew: at the real parents of ``folder``, up to the root."""
        return next(filter(None, map(self._output_at, parents(folder))), None) if self._outputs else None

    def output_of(self, file: bytes) -> OwnFolder | None:
        """Return the output that the file at ``file`` lies in, if it does, or the one that the link there leads into."""
        return self.find_output(holder(file)) or (self.find_output(real_holder(file)) if is_link(file) else None)

    def _output_at(self, folder: bytes) -> OwnFolder | None:
        found = self.find(folder)
        if found is None and self._ahead.get(folder) in self._missing:  # a link may lead there before it exists
            found = OwnFolder(folder, self._outputs[0])
        return found if found and found.output else None

    def _look_for(self, path: bytes) -> None:
        seen = inode(path)
        if seen is None:
            return
        self._missing.discard(path)
        self._above.clear()
        if path not in self._outputs:
            self._found.setdefault(seen, OwnFolder(path))
            return
        output = self._outputs[0]
        self._found[seen] = OwnFolder(path, output, is_part=path != output)
        for point in views(real(path), mounts()):
            if (view := inode(point)) is not None:
                self._found.setdefault(view, OwnFolder(point, output, is_part=True))


def overlap_error(source: str, found: OwnFolder, *, is_same: bool) -> tuple[str, str]:
    """Return the message and the hint for a ``source`` that is, or lies in, the output ``found``."""
    named, output = printable(source), printable(found.output)
    if found.is_by_mark:
        relation = "are the same folder" if is_same else "are in the same folder"
        message = f"SRC {named} and DST {output} {relation}: {printable(found.folder)} has the identity file of DST"
        return message, f"inputs are never changed; where it is a copy, remove {printable(found.folder)}/{FOLDER}/{FILE}"
    if is_same:
        message = f"SRC {named} and DST {output} are the same folder"
        return message, "inputs are never changed: name another folder for the results"
    message = f"SRC {named} lies inside of DST {output}, where results could be written over it"
    return message, "inputs are never changed: name a folder of its own for the results"


def _as_path(folder: bytes) -> Path:
    return Path(os.fsdecode(folder))
