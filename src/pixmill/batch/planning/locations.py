"""Check SRC and DST before anything is written, and report a problem in one sentence."""

import os
from pathlib import Path

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.dataset import Dataset, dataset_at
from pixmill.batch.outputs.own_folders import INSIDE_HINT, SAME_FOLDER_HINT, OwnFolders, overlap_error
from pixmill.batch.source import Source, SourceRequest, open_source
from pixmill.batch.state.location import default_state
from pixmill.core.errors import AddressError, ConfigError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.local.access import is_allowed
from pixmill.storage.local.inodes import real
from pixmill.storage.open import open_storage


class Locations(msgspec.Struct, frozen=True):
    """Where a run reads, writes and keeps its state, all checked. ``state`` is a local folder; it may not exist yet.

    If ``dataset`` is set, the run produces its shards, and ``destination``, where workers write, holds its parts.
    """

    source: Source
    destination: Address
    state: Path
    dataset: Dataset | None = None
    own: OwnFolders = msgspec.field(default_factory=OwnFolders)

    @property
    def source_root(self) -> Address:
        """Return what a worker opens to read the entries of the source."""
        return self.source.address

    @property
    def lock_folder(self) -> Path:
        """Return the local folder that represents the output and holds its lock and its identity file."""
        return default_state(self.output_root)

    @property
    def output_root(self) -> Address:
        """Return the location that a run owns exclusively: DST or, for a dataset, the folder of its shards."""
        return self.dataset.home if self.dataset else self.destination

    def check_apart(self, source: str) -> None:
        """Raise ``AddressError`` when SRC, given as ``source``, is DST or lies in it, by device and inode or by identity file.

        Must be called again once the state folder exists: only then is there an identity file.
        """
        self.own.refresh()
        for root in self.source.roots:
            output = self.own.find_output_above(root)
            if output is not None:
                path = Address.parse(source).local
                is_same = not output.is_part and path is not None and os.path.isdir(path) and real(root) == output.folder  # noqa: PTH112  # pathlib may raise instead
                message, hint = overlap_error(source, output, is_same=is_same)
                raise AddressError(message, hint=hint)


def resolve_locations(config: RunConfig) -> Locations:
    """Return the locations of ``config``; ``AddressError`` or ``RunError`` when one cannot be used. Writes nothing."""
    dataset = _dataset(config)
    destination = dataset.home if dataset else Address.parse(config.destination)
    state = _state(config, destination)
    own = _own_folders(destination, state, dataset)
    source = open_source(
        SourceRequest(address=Address.parse(config.source), selection=config.selection, output=destination, own=own)
    )
    _check_apart(source.address, destination)
    locations = Locations(source, Address.parse(dataset.parts) if dataset else destination, state, dataset, own)
    locations.check_apart(config.source)
    if destination.local:
        _check_folder(destination.local)
    else:
        open_storage(destination)  # reports an invalid address or a missing dependency
    return locations


def _own_folders(destination: Address, state: Path, dataset: Dataset | None) -> OwnFolders:
    outputs = [destination.local] if destination.local else []
    return OwnFolders([*outputs, *([dataset.parts] if dataset else [])], [state])


def state_folders(config: RunConfig) -> tuple[Path, Path]:
    """Return the lock folder of the output and its state folder, which are the same unless ``--state`` is given."""
    dataset = dataset_at(Address.parse(config.destination), config.selection.shard)
    destination = dataset.home if dataset else Address.parse(config.destination)
    return default_state(destination), _state(config, destination)


def _dataset(config: RunConfig) -> Dataset | None:
    """Return the dataset that DST names, or ``None``; ``ConfigError`` when it cannot be made on this machine."""
    placement = config.placement
    dataset = dataset_at(Address.parse(config.destination), config.selection.shard)
    if dataset is not None:
        from pixmill.batch.datasets.shard_store import open_shard_store  # noqa: PLC0415  # loaded only for datasets

        dataset.packing_class.check()
        open_shard_store(dataset.home)  # says what is wrong with the address, or not installed
    elif placement.shard_size is not None or placement.shard_samples is not None:
        raise ConfigError("shard_size and shard_samples require a dataset", hint="use one as DST, such as tar://FOLDER")
    return dataset


def _check_apart(root: Address, destination: Address) -> None:
    """Raise ``AddressError`` when ``root`` is ``destination`` or lies in it, both in the same store."""
    relative = None if root.local else root.below(destination)
    if relative == b"":
        raise AddressError(f"SRC {root} and DST {destination} are the same folder", hint=SAME_FOLDER_HINT)
    if relative:
        raise AddressError(f"SRC {root} is inside DST {destination}, where outputs could overwrite it", hint=INSIDE_HINT)


def _check_folder(destination: Path) -> None:
    if os.path.exists(destination) and not os.path.isdir(destination):  # noqa: PTH110, PTH112  # pathlib may raise instead
        raise AddressError(f"DST {printable(destination)} is a file, but must be a folder")
    nearest = next(folder for folder in (destination, *destination.absolute().parents) if os.path.exists(folder))  # noqa: PTH110  # see above
    if not is_allowed(nearest, os.W_OK | os.X_OK):
        owner = nearest.stat()
        raise RunError(
            f"DST {printable(destination)} cannot be written by user {os.getuid()}",
            code="not-writable",
            hint=f"sudo chown -R {os.getuid()}:{os.getgid()} {nearest} (in a container: the folder mounted there),"
            f' or run as its owner: user: "{owner.st_uid}:{owner.st_gid}"',
        )


def _state(config: RunConfig, destination: Address) -> Path:
    base = Path(config.placement.state) if config.placement.state else default_state(destination)
    return base / config.selection.shard.folder
