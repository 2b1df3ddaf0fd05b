"""Describe this machine as far as it matters to a run: for bug reports, and to find out why something is slow or missing."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

import pixmill
from pixmill.batch.outputs.extras import extras
from pixmill.core.operating_system import has_processes, missing, soft_limit
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.memory import usable_memory
from pixmill.engine.resources.sandbox import gaps
from pixmill.engine.sqlite.journal_mode import journal_mode
from pixmill.imaging.formats import formats
from pixmill.imaging.version import ENGINE, toolset
from pixmill.storage.local.case import ignores_case
from pixmill.storage.local.inodes import real
from pixmill.storage.local.mounts import keeps_change_times, keeps_inodes, kind_of, mounts
from pixmill.storage.local.odd_names import refuses_odd_names

_CPUINFO = Path("/proc/cpuinfo")
_INSTRUCTIONS = ("sse4_2", "avx2", "avx512f", "asimd")  # that the codecs and the resizer have code for


class FolderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the file system of a folder can do, or of its nearest parent that exists. ``free`` is in bytes, ``kind`` its type.

    ``journal`` is the mode of the ledger there, empty where there are no runs. ``keeps_inodes`` and ``keeps_change_times``: changed
    files are recognised by them.
    """

    folder: str
    kind: str
    free: int
    is_writable: bool
    ignores_case: bool
    refuses_odd_names: bool
    keeps_inodes: bool
    keeps_change_times: bool
    journal: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The versions, the machine and its limits. ``memory`` is in bytes, 0 if it is unknown; a limit of ``None`` is none.

    ``can_run``: whether this system can run a pool of workers. ``missing`` is what it lacks of what a run uses.

    ``extras`` are the optional parts and whether they are installed, ``unconfined`` is what the kernel cannot refuse to workers.
    """

    version: str
    revision: str
    python: str
    system: str
    cores: int
    all_cores: int
    instructions: tuple[str, ...]
    memory: int
    open_files: int | None
    processes: int | None
    libraries: str
    reads: tuple[str, ...]
    on_request: tuple[str, ...]
    writes: tuple[str, ...]
    extras: dict[str, bool]
    unconfined: tuple[str, ...]
    can_run: bool
    missing: tuple[str, ...]
    folder: FolderFacts


def examine(folder: Path) -> Machine:
    """Return what this machine is and has, and what can be done in ``folder``. Writes nothing."""
    known = [each for each in formats() if each.name != "keep"]
    return Machine(
        version=pixmill.__version__,
        revision=ENGINE.partition(" ")[0],
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} on {platform.machine()}",
        cores=usable_cores(),
        all_cores=os.cpu_count() or 1,
        instructions=tuple(_instructions()),
        memory=usable_memory(),
        open_files=soft_limit("RLIMIT_NOFILE"),
        processes=soft_limit("RLIMIT_NPROC"),
        libraries=toolset(),
        reads=tuple(each.name for each in known if not each.opt_in and not each.missing_extra("read")),
        on_request=tuple(each.name for each in known if each.opt_in and not each.missing_extra("read")),
        writes=tuple(each.name for each in known if each.writable and not each.missing_extra("write")),
        extras=extras(),
        unconfined=gaps(),
        can_run=has_processes(),
        missing=missing(),
        folder=_examine_folder(folder),
    )


def _examine_folder(folder: Path) -> FolderFacts:
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
    path, mounted = real(os.fsencode(place)), mounts()
    return FolderFacts(
        folder=str(place),
        kind=kind_of(path, mounted),
        free=shutil.disk_usage(place).free,
        is_writable=os.access(place, os.W_OK | os.X_OK),
        ignores_case=ignores_case(place),
        refuses_odd_names=refuses_odd_names(place, may_write=False),
        keeps_inodes=keeps_inodes(path, mounted),
        keeps_change_times=keeps_change_times(path, mounted),
        journal=journal_mode(place) if has_processes() else "",
    )


def _instructions() -> Iterator[str]:
    """Yield the vector instructions that this processor has and that matter, where the system lists them."""
    with suppress(OSError):
        found = re.search(r"^(?:flags|Features)\s*:(.*)", _CPUINFO.read_text(), re.MULTILINE)
        words = set(found[1].split()) if found else set()
        yield from (each for each in _INSTRUCTIONS if each in words)
