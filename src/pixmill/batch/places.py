"""Check SRC and DST against the world before anything is written, and say in one sentence what is wrong."""

import os
from pathlib import Path

import msgspec

from pixmill.batch.config import RunConfig
from pixmill.batch.sources.directory import Directory
from pixmill.core.errors import AddressError, ConfigError, RunError
from pixmill.core.text import printable
from pixmill.storage.open import open_storage


class Places(msgspec.Struct, frozen=True):
    """Where a run reads, writes and keeps its state, all checked. ``state`` may not exist yet."""

    source: Directory
    source_root: Path
    destination: Path
    state: Path


def find(config: RunConfig) -> Places:
    """Return the places of ``config``; ``AddressError`` or ``RunError`` when one cannot be used. Writes nothing."""
    source, destination = Path(config.source), Path(config.destination)
    try:
        source.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise AddressError(f"SRC {printable(config.source)} does not exist") from None
    except OSError as error:  # a folder on the way to it may not be entered, a server does not answer, the name is too long
        message = f"SRC {printable(config.source)} cannot be reached: {error.strerror}"
        raise RunError(message, code="not-readable") from None
    root = source if source.is_dir() else source.parent
    if not may(source, os.R_OK | (os.X_OK if source.is_dir() else 0)):
        raise RunError(
            f"SRC {printable(config.source)} cannot be read",
            code="not-readable",
            hint=f"run as its owner, or: chmod -R u+rX {source}",
        )
    _check_destination(destination, root)
    state = _state(config, destination)
    storage = open_storage(root, follow_symlinks=config.selection.follow_symlinks)
    only = b"" if source.is_dir() else os.fsencode(source.name)
    ours = below(root, destination, state)
    return Places(Directory(storage, only=only, is_ours=ours.__contains__), root, destination, state)


def may(path: Path, access: int) -> bool:
    """Tell whether this process may do it as it is now, with the rights that a container or a ``sudo`` has given it."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _check_destination(destination: Path, root: Path) -> None:
    if os.path.exists(destination) and not os.path.isdir(destination):  # noqa: PTH110, PTH112  # pathlib raises where these answer
        raise AddressError(f"DST {printable(destination)} is a file, and must be a folder")
    if destination.resolve() == root.resolve():
        raise AddressError("SRC and DST are the same folder", hint="inputs are never changed: name another folder for the results")
    if destination.resolve() in root.resolve().parents:
        message = f"SRC lies inside of DST {printable(destination)}, where results could be written over it"
        raise AddressError(message, hint="inputs are never changed: name a folder of its own for the results")
    nearest = next(folder for folder in (destination, *destination.absolute().parents) if os.path.exists(folder))  # noqa: PTH110  # the same
    if not may(nearest, os.W_OK | os.X_OK):
        owner = nearest.stat()
        raise RunError(
            f"DST {printable(destination)} cannot be written by user {os.getuid()}",
            code="not-writable",
            hint=f"sudo chown -R {os.getuid()}:{os.getgid()} {nearest} (in a container: the folder that is mounted there),"
            f' or run as its owner: user: "{owner.st_uid}:{owner.st_gid}"',
        )


def _state(config: RunConfig, destination: Path) -> Path:
    base = Path(config.placement.state) if config.placement.state else destination / ".pixmill"
    shard = config.selection.shard
    return base if shard.count == 1 else base / f"shard-{shard.index}-of-{shard.count}"


def below(root: Path, *folders: Path) -> set[bytes]:
    """Return those of ``folders`` that lie inside ``root``, as paths relative to it."""
    inside = set()
    for folder in folders:
        try:
            inside.add(os.fsencode(folder.resolve().relative_to(root.resolve())))
        except ValueError:
            continue
    return inside


def nothing_found(config: RunConfig, ignored: dict[str, int]) -> ConfigError:
    """Return the error for a source that holds no image, saying what it does hold."""
    others = sum(ignored.values())
    hint = "--all-files looks into every file, whatever its name" if ignored.get("not-an-image") else "put images there first"
    return ConfigError(f"no images found in {printable(config.source)} ({others} other files)", code="no-images", hint=hint)
