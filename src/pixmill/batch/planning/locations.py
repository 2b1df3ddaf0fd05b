"""Check SRC and DST against the world before anything is written, and say in one sentence what is wrong."""

import os
from pathlib import Path

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.dataset import Dataset, dataset_at
from pixmill.batch.outputs.own_folders import OwnFolders, overlap_error
from pixmill.batch.planning.selection import TAKEN_BY
from pixmill.batch.source import Source, SourceRequest, open_source
from pixmill.batch.state.location import default_state
from pixmill.core.errors import AddressError, ConfigError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.local.access import is_allowed
from pixmill.storage.local.inodes import real
from pixmill.storage.open import open_storage


class Locations(msgspec.Struct, frozen=True):
    """Where a run reads, writes and keeps its state, all checked. ``state`` is a folder of this machine; it may not exist yet.

    Where ``dataset`` is set, its shards are what is made; ``destination``, where workers write, holds its parts.
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
        """Return the folder of this machine that stands for the output: its lock and its identity are there."""
        return default_state(self.output_root)

    @property
    def output_root(self) -> Address:
        """Return what a run has for itself: DST, and of a dataset the folder of its shards."""
        return self.dataset.home if self.dataset else self.destination

    def check_apart(self, source: str) -> None:
        """Raise ``AddressError`` when SRC, which was given as ``source``, is DST or lies in it, by device and inode or by its mark.

        To be called again when the state folder has been made: only then is there a mark.
        """
        self.own.refresh()
        for root in self.source.roots:
            found = self.own.find_output_above(root)
            if found is not None:
                named = Address.parse(source).local
                is_same = not found.is_part and named is not None and os.path.isdir(named) and real(root) == found.folder  # noqa: PTH112  # pathlib raises where this answers
                message, hint = overlap_error(source, found, is_same=is_same)
                raise AddressError(message, hint=hint)


def resolve_locations(config: RunConfig) -> Locations:
    """Return the places of ``config``; ``AddressError`` or ``RunError`` when one cannot be used. Writes nothing."""
    dataset = _dataset(config)
    destination = dataset.home if dataset else Address.parse(config.destination)
    state = _state(config, destination)
    own = _own_folders(destination, state, dataset)
    source = open_source(
        SourceRequest(address=Address.parse(config.source), selection=config.selection, output=destination, own=own)
    )
    _check_apart(source.address, destination)
    places = Locations(source, Address.parse(dataset.parts) if dataset else destination, state, dataset, own)
    places.check_apart(config.source)
    if destination.local:
        _check_folder(destination.local)
    else:
        open_storage(destination)  # says what is wrong with the address, or not installed
    return places


def _own_folders(destination: Address, state: Path, dataset: Dataset | None) -> OwnFolders:
    outputs = [destination.local] if destination.local else []
    return OwnFolders([*outputs, *([dataset.parts] if dataset else [])], [state])


def state_folders(config: RunConfig) -> tuple[Path, Path]:
    """Return the folder that stands for the output, and that of the state, which are one unless ``--state`` names another."""
    dataset = dataset_at(Address.parse(config.destination), config.selection.shard)
    destination = dataset.home if dataset else Address.parse(config.destination)
    return default_state(destination), _state(config, destination)


def _dataset(config: RunConfig) -> Dataset | None:
    """Return the dataset that DST names, ``None`` when it names none; ``ConfigError`` when it cannot be made here."""
    placement = config.placement
    dataset = dataset_at(Address.parse(config.destination), config.selection.shard)
    if dataset is not None:
        from pixmill.batch.datasets.shard_store import open_shard_store  # noqa: PLC0415  # no other run pays for it

        dataset.packing_class.check()
        open_shard_store(dataset.home)  # says what is wrong with the address, or not installed
    elif placement.shard_size is not None or placement.shard_samples is not None:
        raise ConfigError("shard_size and shard_samples are for datasets", hint="name one as DST, such as tar://FOLDER")
    return dataset


def _check_apart(root: Address, destination: Address) -> None:
    """Raise ``AddressError`` when ``root`` is ``destination`` or lies in it, both of them in one store."""
    between = None if root.local else root.below(destination)
    if between == b"":
        message = f"SRC {root} and DST {destination} are the same folder"
        raise AddressError(message, hint="inputs are never changed: name another folder for the results")
    if between:
        message = f"SRC {root} lies inside of DST {destination}, where results could be written over it"
        raise AddressError(message, hint="inputs are never changed: name a folder of its own for the results")


def _check_folder(destination: Path) -> None:
    if os.path.exists(destination) and not os.path.isdir(destination):  # noqa: PTH110, PTH112  # pathlib raises where these answer
        raise AddressError(f"DST {printable(destination)} is a file, and must be a folder")
    nearest = next(folder for folder in (destination, *destination.absolute().parents) if os.path.exists(folder))  # noqa: PTH110  # the same
    if not is_allowed(nearest, os.W_OK | os.X_OK):
        owner = nearest.stat()
        raise RunError(
            f"DST {printable(destination)} cannot be written by user {os.getuid()}",
            code="not-writable",
            hint=f"sudo chown -R {os.getuid()}:{os.getgid()} {nearest} (in a container: the folder that is mounted there),"
            f' or run as its owner: user: "{owner.st_uid}:{owner.st_gid}"',
        )


def _state(config: RunConfig, destination: Address) -> Path:
    base = Path(config.placement.state) if config.placement.state else default_state(destination)
    return base / config.selection.shard.folder


def nothing_found(config: RunConfig, ignored: dict[str, int]) -> ConfigError:
    """Return the error for a source that holds no image, saying what it does hold."""
    others = sum(ignored.values())
    left_out = [(reason, option) for reason, option in TAKEN_BY.items() if ignored.get(reason)]
    hints = [f"{option} takes what was left out as {reason}: {ignored[reason]:,}" for reason, option in left_out]
    if ignored.get("not-an-image"):
        hints.append("--all-files looks into every file, whatever its name")
    hint = "; ".join(hints) or "put images there first"
    return ConfigError(f"no images found in {printable(config.source)} ({others} other files)", code="no-images", hint=hint)
