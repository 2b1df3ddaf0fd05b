"""Check SRC and DST before anything is written, and report a problem in one sentence."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pixmill.batch.composition import open_sources
from pixmill.batch.config.models import OF_DATASETS, RunConfig
from pixmill.batch.config.target_file import TargetFile, target_file
from pixmill.batch.datasets.dataset import Dataset, dataset_at
from pixmill.batch.outputs.own_folders import INSIDE_HINT, SAME_FOLDER_HINT, OwnFolders, overlap_error
from pixmill.batch.planning import single_file
from pixmill.batch.planning.other_files import refuse_other_file
from pixmill.batch.planning.patterns import refuse_pattern
from pixmill.batch.source import Source, SourceRequest, open_source
from pixmill.batch.state.location import default_state
from pixmill.core.errors import AddressError, ConfigError, RunError
from pixmill.core.operating_system import is_allowed
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.local.inodes import real
from pixmill.storage.open import open_storage
from pixmill.storage.retry.outage import OutagePolicy


class Locations(msgspec.Struct, frozen=True):
    """Where a run reads, writes and keeps its state, all checked. ``state`` is a local folder; it may not exist yet.

    If ``dataset`` is set, the run produces its shards, and ``destination``, where workers write, holds its parts. If ``target`` is
    set, the run writes only this file, in ``destination``, and has no state. ``policy`` retries the requests
    with which SRC is listed.
    """

    source: Source
    destination: Address
    state: Path
    dataset: Dataset | None = None
    own: OwnFolders = msgspec.field(default_factory=OwnFolders)
    target: TargetFile | None = None
    policy: OutagePolicy = msgspec.field(default_factory=OutagePolicy)

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

    def has_output(self, name: bytes) -> bool:
        """Tell whether there is something at ``name`` in DST; in a store, which accepts every name, always."""
        folder = self.destination.local
        return folder is None or os.path.lexists(os.fsencode(folder) + b"/" + name)

    def check_apart(self, sources: Sequence[str]) -> None:
        """Raise ``AddressError`` when one of ``sources`` is DST or lies in it, by device and inode or by identity file.

        Must be called again once the state folder exists: only then is there an identity file.
        """
        self.own.refresh()
        for source, root in ((sources[given.index], root) for given in self.source.given() for root in given.roots):
            output = self.own.find_output_above(root)
            if output is not None:
                path = Address.parse(source).local
                is_same = not output.is_part and path is not None and os.path.isdir(path) and real(root) == output.folder  # noqa: PTH112  # pathlib may raise instead
                message, hint = overlap_error(source, output, is_same=is_same)
                raise AddressError(message, hint=hint)


def resolve_locations(config: RunConfig) -> Locations:
    """Return the locations of ``config``; ``AddressError`` or ``RunError`` when one cannot be used. Writes nothing."""
    for source_text in config.sources:
        refuse_pattern(source_text, config.destination, is_only=len(config.sources) == 1)
    dataset = _dataset(config)
    target = None if dataset else target_file(config.destination)
    if target is not None:
        return _locations_of(target, config)
    destination = dataset.home if dataset else Address.parse(config.destination)
    if dataset is None:
        refuse_other_file(destination)
    state = _state(config, destination)
    own = _own_folders(destination, state, dataset)
    first = Address.parse(config.sources[0])
    policy = OutagePolicy(config.policy.store_timeout, idles=True)
    request = SourceRequest(
        address=first,
        selection=config.selection,
        output=destination,
        own=own,
        policy=policy,
        names_begin_alike=config.placement.name.begins_alike,
        key_range=config.selection.part.range,
    )
    source = open_sources(config.sources, request)
    if request.key_range is not None and not source.is_in_range:
        raise ConfigError(
            "shard_at: only keys of one bucket (s3://) can be listed from one to another",
            hint="leave out --shard-at: the hashes of names divide images of any source",
        )
    for given in source.given():
        _check_apart(given.address, destination)
    written = Address.parse(dataset.parts) if dataset else destination
    locations = Locations(source, written, state, dataset, own, policy=policy)
    locations.check_apart(config.sources)
    _check_destination(destination, len(config.sources))
    return locations


def _locations_of(target: TargetFile, config: RunConfig) -> Locations:
    """Return the locations of a run that writes only ``target``. It may be in the folder of its source."""
    single_file.check_arguments(config, target)
    source = open_source(SourceRequest(address=Address.parse(config.sources[0]), selection=config.selection))
    single_file.check_source(config, target, source)
    _check_destination(target.folder, 1)
    return Locations(source, target.folder, default_state(target.folder), target=target)


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
    elif given := [name for name in OF_DATASETS if getattr(placement, name) is not None]:
        verb = "require" if len(given) > 1 else "requires"
        raise ConfigError(f"{' and '.join(given)} {verb} a dataset", hint="use one as DST, such as tar://FOLDER")
    return dataset


def _check_apart(root: Address, destination: Address) -> None:
    """Raise ``AddressError`` when ``root`` is ``destination`` or lies in it, both in the same store."""
    relative = None if root.local else root.below(destination)
    if relative == b"":
        raise AddressError(f"SRC {root} and DST {destination} are the same folder", hint=SAME_FOLDER_HINT)
    if relative:
        raise AddressError(f"SRC {root} is inside DST {destination}, where outputs could overwrite it", hint=INSIDE_HINT)


def _check_destination(destination: Address, source_count: int) -> None:
    if destination.local:
        _check_folder(destination.local, source_count)
    else:
        open_storage(destination)  # reports an invalid address or a missing dependency


def _check_folder(destination: Path, source_count: int) -> None:
    if os.path.exists(destination) and not os.path.isdir(destination):  # noqa: PTH110, PTH112  # pathlib may raise instead
        hint = "the last word is DST: give a folder for the outputs after the sources" if source_count > 1 else ""
        raise AddressError(f"DST {printable(destination)} is a file, but must be a folder", hint=hint)
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
