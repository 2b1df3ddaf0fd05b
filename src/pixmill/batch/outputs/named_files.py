"""Files named by options, such as ``--index``: overwritten only if they are empty or were written by pixmill.

Each kind is recognised by how its content begins. All are checked before a run, and those written at the end are checked again
then. Devices and pipes are written to without a check.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.core.errors import ConfigError, RunError
from pixmill.core.text import printable
from pixmill.engine.observability.exporters.failure_log import rotated_files
from pixmill.engine.observability.streams import is_stream
from pixmill.storage.address import Address

STANDARD_INPUT = "-"
LOG = "log"
REPORT = "report"
_HEAD = 1 << 16  # bytes that suffice to recognise a file: a path of 4,096 bytes takes 24 kB when escaped
_EVENT = rb'\{"event":"[a-z_]+","at":[0-9]'
_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+00:00"
_SPEEDSCOPE = rb'\{"\$schema":"https://www\.speedscope\.app/file-format-schema\.json",'
#: how a file of each kind begins; where there are two patterns, the second is that of earlier versions
SIGNATURES = {
    "index": re.compile(rb'\{"source":"(?:[^"\\]|\\.)*","outputs":\['),
    REPORT: re.compile(rb'(?s)<!doctype html>\n<html lang="en"><head><meta charset="utf-8">.*?'
                       rb'(?:<meta name="generator" content="pixmill|<title>pixmill: )'),
    "events": re.compile(_EVENT),
    LOG: re.compile(_EVENT + rb"|" + _TIME + rb" [^\n]* (?:\(attempts [0-9]+, |\(running for |\(at it for )"),
    "metrics": re.compile(rb'\{"run":[0-9]+,"workers":[0-9]+,"seconds":|# HELP pixmill_'),
    "profile": re.compile(_SPEEDSCOPE + rb'(?:"exporter":"pixmill |"shared":\{"frames":\[)'),
}  # fmt: skip


class NamedFile(msgspec.Struct, frozen=True):
    """A file that ``option`` names, with content of a ``kind`` in ``SIGNATURES``."""

    option: str
    path: Path
    kind: str


def check(files: Iterable[NamedFile], *, sources: Sequence[str], states: Sequence[Path]) -> None:
    """Raise ``ConfigError`` for a file that may not be written. ``sources`` are SRC, ``states`` are the state folders."""
    by_identity: dict[object, NamedFile] = {}
    for file in files:
        if is_stream(file.path):
            _refuse_block_device(file)
            continue
        _refuse_missing_folder(file)
        _refuse_shared(file, by_identity)
        _refuse_state(file, states)
        for path in _written(file):
            _refuse_sources(file, path, sources)
            if _is_foreign(path, file.kind):
                raise _foreign(file.option, path)


def check_again(option: str, path: Path, kind: str) -> None:
    """Raise ``RunError`` when a foreign file appeared at ``path`` during the run."""
    if not is_stream(path) and _is_foreign(path, kind):
        error = _foreign(option, path)
        raise RunError(error.message, code="export", hint=error.hint)


def _written(file: NamedFile) -> Iterator[Path]:
    yield file.path
    if file.kind == LOG:
        yield from rotated_files(file.path)


def _is_foreign(path: Path, kind: str) -> bool:
    """Tell whether ``path`` exists, is not empty, and does not hold content of ``kind``."""
    try:
        status = path.stat()
        if status.st_size == 0 and stat.S_ISREG(status.st_mode):
            return False
        with path.open("rb") as file:
            return SIGNATURES[kind].match(file.read(_HEAD)) is None
    except FileNotFoundError:
        return False
    except IsADirectoryError:
        return True
    except OSError:  # a file that cannot be read cannot be recognised
        return True


def _refuse_block_device(file: NamedFile) -> None:
    with suppress(OSError):
        if stat.S_ISBLK(file.path.stat().st_mode):
            raise _foreign(file.option, file.path)


def _refuse_missing_folder(file: NamedFile) -> None:
    if not Path(os.path.realpath(file.path)).parent.is_dir():
        raise ConfigError(f"{printable(file.path)} cannot be written: its folder does not exist", hint="choose another file")


def _refuse_shared(file: NamedFile, by_identity: dict[object, NamedFile]) -> None:
    other = by_identity.setdefault(_identity(file.path), file)
    if other is not file:
        raise ConfigError(
            f"{other.option} and {file.option} name the same file, {printable(file.path)}", hint="choose a separate file for each"
        )


def _refuse_sources(file: NamedFile, path: Path, sources: Sequence[str]) -> None:
    try:
        status = path.stat()
    except OSError:
        return
    for source in sources:
        if _is_source(status, source):
            raise ConfigError(
                f"{file.option} {printable(path)} is SRC itself ({printable(source)}), and inputs are never changed",
                code="foreign-file",
                hint="choose another file",
            )


def _is_source(status: os.stat_result, source: str) -> bool:
    try:
        if source == STANDARD_INPUT:
            return os.path.samestat(status, os.fstat(0))
        path = Address.parse(source).local
        return path is not None and os.path.samestat(status, path.stat())
    except OSError:
        return False


def _refuse_state(file: NamedFile, states: Sequence[Path]) -> None:
    """Refuse a name that is reserved in a state folder, except the default location of the report."""
    target = Path(os.path.realpath(file.path))
    is_default = file.kind == REPORT and target.name == "report.html"
    ancestry = [(target.parent, target.name), *((folder.parent, folder.name) for folder in target.parents)]
    for folder, name in ancestry:
        if state_folder.is_name_of_state(name) and not is_default and any(_is_same(folder, state) for state in states):
            raise ConfigError(
                f"{file.option} {printable(file.path)} is reserved for the state in {printable(folder)}",
                code="foreign-file",
                hint="choose another file",
            )


def states_of(*folders: Path) -> tuple[Path, ...]:
    """Return ``folders`` and, for the folder of a shard, the one that contains all shards."""
    return tuple(dict.fromkeys(each for folder in folders for each in (folder, _base(folder))))


def _base(folder: Path) -> Path:
    return folder.parent if Shard.of_folder(folder.name) else folder


def _is_same(folder: Path, other: Path) -> bool:
    return _identity(folder) == _identity(other)


def _identity(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _foreign(option: str, path: Path) -> ConfigError:
    return ConfigError(
        f"{option} would overwrite {printable(path)}, which pixmill did not write",
        code="foreign-file",
        hint="choose another file",
    )
