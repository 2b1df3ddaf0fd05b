"""``Plan``: what a run will do, with all locations resolved and fingerprints computed. Creates tasks, writes nothing."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import msgspec

from pixmill.batch.config import fingerprint
from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.keys import SampleNamer
from pixmill.batch.item import Item, from_payload, task_id, to_task, unpack_origin
from pixmill.batch.naming.fixed import FixedNamer
from pixmill.batch.naming.late import LateNamer
from pixmill.batch.naming.namer import Extension, Namer
from pixmill.batch.naming.portable import Spelling
from pixmill.batch.naming.reserved import ReservedNames
from pixmill.batch.naming.template import Template, own_extension
from pixmill.batch.planning.known_sources import source_keys
from pixmill.batch.planning.locations import Locations, resolve_locations
from pixmill.batch.planning.name_checks import check_names, check_renditions, with_accepted_names
from pixmill.batch.planning.recipe_summary import recipe_summary
from pixmill.batch.planning.selection import Selector
from pixmill.batch.progress.workload import WorkTotal, count_work
from pixmill.batch.source import Row, place_name
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.batch.state.former_engines import former_engines
from pixmill.batch.state.identity import own_tag
from pixmill.batch.state.name_owners import NameOwners
from pixmill.batch.state.source_keys import SourceKeys
from pixmill.batch.state.stateless import tag_of
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ImageError, ReadError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import Task
from pixmill.imaging.codec import Codec
from pixmill.imaging.input import HEAD_BYTES
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, LocatedEntry
from pixmill.storage.local.case import ignores_case
from pixmill.storage.local.mounts import keeps_change_times, keeps_inodes, mounts

ODD_KEY = "read-key"
_WITHOUT_REQUESTS = frozenset({"file", "memory", "multi", "tar", "zip"})


class Plan:
    """The resolved form of a ``RunConfig``."""

    def __init__(self, config: RunConfig, locations: Locations) -> None:
        """Take a configuration and its checked locations."""
        self.config = config
        self.locations = locations
        is_explicit = locations.source.is_explicit or locations.target is not None  # an image, whatever its name
        allow = config.recipe.allowed
        self.selector = Selector(config.selection, locations.source.storage, is_explicit=is_explicit, allow=allow)
        self.candidates = 0  # found so far, in all shards
        self._is_fetched = False
        self._ledgers = EarlierLedgers(self._state_of_all_shards(), config.selection.part)
        self._locators: dict[bytes, bytes] = {}
        self._read_errors: dict[bytes, ReadError] = {}
        self._extension_lookups: dict[type[Codec], Extension] = {}

    @cached_property
    def fingerprint(self) -> bytes:
        """Return the fingerprint of everything besides the source that determines an output."""
        return fingerprint.recipe_fingerprint(self.config)

    @cached_property
    def rendition_fingerprints(self) -> tuple[bytes, ...]:
        """Return the fingerprint of each rendition."""
        return fingerprint.rendition_fingerprints(self.config)

    @cached_property
    def makes(self) -> tuple[str, ...]:
        """Return a description of what is made from each image."""
        first, *others = recipe_summary(self.config.recipe)
        preset = self.config.preset_name
        return (f"preset {preset}: {first}" if preset else first, *others)

    @cached_property
    def late_template(self) -> str:
        """Return the template of the outputs' names if these are known only when an image is read; empty if they are not late."""
        return self._template.with_extension().text if self._template.is_late and self.locations.target is None else ""

    @cached_property
    def _template(self) -> Template:
        """Return the template of the outputs' names, which distinguishes several renditions."""
        template, several = self.config.placement.name, len({each.name for each in self.config.recipe.renditions}) > 1
        places = self.locations.source.places
        template = template.below(place_name(places[0]) if len(places) == 1 else b"")
        template = template.with_rendition() if several and not self.locations.dataset else template
        return template.flattened() if self.config.placement.flat else template

    @property
    def tag(self) -> str:
        """Return the tag of this run's temporary files: output and shard, which only one run at a time may write (see the lock)."""
        if self.locations.target:
            return tag_of(self.locations.target.name)
        return own_tag(self.locations.lock_folder, self.config.selection.part)

    @cached_property
    def handler_options(self) -> HandlerOptions:
        """Return the options of the handler that runs in the workers."""
        config = self.config
        return HandlerOptions(
            source=self.locations.source_root.url,
            destination=self.locations.destination.url,
            tag=self.tag,
            recipe=config.recipe.to_builtins(),
            max_bytes=int(config.selection.max_source_bytes),
            durable=config.placement.durability == "full",
            keep_mtime="mtime" in config.placement.preserve,
            follow_symlinks=config.selection.follow_symlinks,
            fingerprints=self.rendition_fingerprints,
            existing="replace" if self.locations.dataset else config.placement.existing,
            follow_output_links=config.placement.follow_output_links,
            checksum=config.selection.checksum,
            has_change_times=self.has_change_times,
            timeout=float(config.policy.timeout),
            is_dated=self.locations.source.is_dated,
            keeps_inodes=self.locations.destination.local is None
            or keeps_inodes(os.fsencode(os.path.realpath(self.locations.destination.local)), mounts()),
        )

    @cached_property
    def has_change_times(self) -> bool:
        """Tell whether the change times of source files are those of changes, as far as the local roots show."""
        mounted = mounts()
        return all(keeps_change_times(os.path.realpath(root), mounted) for root in self.locations.source.roots)

    def listing_notice(self) -> str:
        """Return what is being waited for while the source is listed."""
        if self.locations.source.is_explicit and not self.candidates:
            return f"reading {self.config.source_text}"  # a list is sorted before its first image
        return f"listing {self.config.source_text}: {plural(self.candidates, 'image')} found so far"

    @property
    def remark_on_shard(self) -> str:
        """Return a sentence about a shard that has none of the images, once the source has been listed."""
        shard = self.config.selection.part
        if shard.keys and not self.candidates:
            return f"shard {shard} has no images"
        return f"shard {shard} has none of the {plural(self.candidates, 'image')}" if self.candidates else ""

    def items(self) -> Iterator[Item]:
        """Yield the inputs of this run, with the names of their outputs, as they are discovered."""
        return (item for item in self._stream() if item is not None)

    def _stream(self) -> Iterator[Item | None]:
        """Yield the inputs, and ``None`` while none has arrived from a store."""
        unreadable: list[Item] = []

        def on_error(path: bytes, error: ImageError) -> None:
            is_object = error.code == ODD_KEY
            if self.selector.excludes_unreadable(path) or (is_object and not self.selector.takes_odd_key(path)):
                return
            self.candidates += 1
            unreadable.append(Item(Entry(path if is_object else path + b"/", 0, b""), source_error=error.message))

        try:
            for entries in self.locations.source.folders(on_error, self.selector.count_ignored):
                if not entries:
                    yield None
                yield from self.items_of(entries)
                yield from unreadable
                unreadable.clear()
            yield from unreadable
        finally:
            self.release()

    def items_of(self, entries: Sequence[Entry]) -> Iterator[Item]:
        """Yield the inputs among ``entries``, which must be all entries of one folder, since their names may collide."""
        shard = self.config.selection.part
        chosen, folders = self.selector.choose(entries)
        self.candidates += len(chosen)
        self._locators = {entry.path: entry.locator for entry in chosen if isinstance(entry, LocatedEntry)}
        names = self.namer.names([entry.path for entry in chosen], folders)
        read_errors, self._read_errors = self._read_errors, {}
        some_reserved = self.reserved.may_include(chain.from_iterable(names.values()))
        mine = chosen if shard.count == 1 else [entry for entry in chosen if shard.takes(self.path_in_place(entry))]
        return (self.item(entry, names[entry.path], read_errors.get(entry.path), may_be_reserved=some_reserved) for entry in mine)

    def item(
        self, entry: Entry, names: tuple[bytes, ...], read_error: ReadError | None = None, *, may_be_reserved: bool = True
    ) -> Item:
        """Return the input for ``entry``; with a ``read_error`` or a reserved output name, it is one that will fail."""
        if read_error is not None:
            return Item(Entry(entry.path, 0, b""), source_error=read_error.message)
        if may_be_reserved and (message := self.reserved.error(names)):
            return Item(Entry(entry.path, 0, b""), source_error=message, is_reserved=True)
        if not isinstance(entry, LocatedEntry):
            return Item(entry, names, template=self.late_template)
        columns = entry.columns if isinstance(entry, Row) else b""
        plain = Entry(*entry.identity, entry.changed_at)
        return Item(plain, names, locator=entry.locator, columns=columns, template=self.late_template)

    @cached_property
    def reserved(self) -> ReservedNames:
        """Return the names that no output may have."""
        return ReservedNames(Address.parse(self.locations.state).below(self.locations.destination))

    def fresh_copy(self, config: RunConfig | None = None) -> "Plan":
        """Return a new plan of the same configuration, or of ``config``, for the same locations; its counts start at zero."""
        other = Plan(config or self.config, self.locations)
        other.source_keys, other._owners = self.source_keys, self._owners
        return other

    def release(self) -> None:
        """Close the ledgers of earlier runs; they are reopened when needed."""
        self._ledgers.close()

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks of this run as they are discovered."""
        return map(self.task, self.items())

    def task_stream(self) -> Iterator[Task | None]:
        """Yield the same tasks, and ``None`` while none has arrived from a store."""
        return (None if item is None else self.task(item) for item in self._stream())

    def task(self, item: Item) -> Task:
        """Return the task for ``item``."""
        return to_task(item, self.fingerprint, self.key(item.entry.path, item.locator))

    def is_same(self, task: Task, record: Record) -> bool:
        """Tell whether a record of version 1 of the ledger is of ``task``: its id then contained the version of libvips."""
        item = from_payload(task.payload)
        return any(record.id == task_id(item, former) for former in self._former_fingerprints)

    def is_same_but_for_time(self, task: Task, record: Record) -> bool:
        """Tell whether ``record``, of a finished task, differs from ``task`` only by the version of its source."""
        item, (_, source) = from_payload(task.payload), unpack_origin(record.result)
        if not source.digest:
            return False
        then = msgspec.structs.replace(item, entry=Entry(item.entry.path, item.entry.size, source.version))
        return record.id == task_id(then, self.fingerprint)

    @cached_property
    def _former_engines(self) -> tuple[str, ...]:
        return former_engines(self.locations.state)

    @cached_property
    def _former_fingerprints(self) -> tuple[bytes, ...]:
        return tuple(fingerprint.recipe_fingerprint(self.config, former_engine=each) for each in self._former_engines)

    @property
    def former_rendition_fingerprints(self) -> tuple[tuple[bytes, ...], ...]:
        """Return the fingerprints that version 1 of the ledger had for each rendition, by version of libvips."""
        return tuple(fingerprint.rendition_fingerprints(self.config, former_engine=each) for each in self._former_engines)

    def key(self, path: bytes, locator: bytes = b"") -> bytes:
        """Return the ledger's key of the image at ``path``."""
        if self._prefix is not None:
            return self._prefix + path
        place, path_there = self.locations.source.locate(path, locator)
        return self.source_keys.prefixes[place] + path_there

    @cached_property
    def _prefix(self) -> bytes | None:
        """Return the prefix of all keys of a source that is one place; ``None`` if places or paths there have to be looked up."""
        source = self.locations.source
        is_one = len(source.places) == 1 and source.has_unique_paths
        return self.source_keys.prefixes[source.places[0]] if is_one else None

    def path_of(self, key: bytes) -> bytes | None:
        """Return the path of the image with the ledger's ``key``; ``None`` if it is of another, or that must be looked up."""
        return key[len(self._prefix) :] if self._prefix is not None and self.source_keys.prefix(key) == self._prefix else None

    def path_in_place(self, entry: Entry) -> bytes:
        """Return the path of ``entry`` in its place, which decides about its shard whatever else a run processes."""
        return self.locations.source.locate(entry.path, entry.locator if isinstance(entry, LocatedEntry) else b"")[1]

    def source_name(self, item: Item) -> str:
        """Return the name of the folder, bucket or archive that ``item`` is in."""
        return printable(place_name(self.locations.source.locate(item.entry.path, item.locator)[0]))

    def disown(self, ledger: Ledger, names: Sequence[bytes]) -> None:
        """Free the ``names`` of outputs that have been removed."""
        if self._owners is not None:
            ledger.disown(map(self._owners.key, names))
            self._owners.forget(names)

    @cached_property
    def source_keys(self) -> SourceKeys:
        """Return the keys of this source and of those that earlier runs had."""
        if self.locations.target is not None:
            return SourceKeys(prefixes={}).adding(self.locations.source.places, has_unique_paths=True)
        self._fetch_ledgers()
        return source_keys(self.locations.source, self.config.selection.source_id, self._ledgers, self._tasks_with, self.is_same)

    def _tasks_with(self, keys: SourceKeys) -> Iterator[Task]:
        plan = Plan(self.config, self.locations)
        plan.source_keys, plan._owners = keys, self._name_owners()
        return plan.tasks()

    @property
    def lists_requests(self) -> bool:
        """Tell whether the source is listed by requests to a store, which cost money and time."""
        source = self.locations.source
        return source.shape != "list" and any(given.address.scheme not in _WITHOUT_REQUESTS for given in source.given())

    def work_total(self) -> WorkTotal:
        """Return the total amount of work, by walking the source again; for the progress display."""
        config = self.config.evolve(recipe=Recipe())  # the default recipe does not need to read the sources
        plan = Plan(config, self.locations)
        plan._owners = None  # names do not matter
        return count_work(plan.items())

    @cached_property
    def namer(self) -> Namer:
        """Return the namer of the outputs."""
        return self.make_namer()

    def make_namer(self, is_taken: Callable[[bytes, bytes], bool] | None = None) -> Namer:
        """Return a namer that avoids names for which ``is_taken(source, name)``, such as those of outputs whose source is gone."""
        if self.locations.target:
            return FixedNamer(self.locations.target.name)
        check_renditions(self.config.recipe)
        if self.late_template:
            return self.late_namer()
        refuse = self.config.placement.on_collision == "error"
        extensions = [(rendition.name, self._extension(rendition.encode)) for rendition in self.config.recipe.renditions]
        make: Callable[..., Namer] = SampleNamer if self.locations.dataset else partial(Namer, spelling=self.spelling or bytes)
        key_of = (lambda path: self.key(path, self._locators.get(path, b""))) if self._prefix is None else self._prefix.__add__
        return make(self._template, extensions, refuse=refuse, is_taken=is_taken, owners=self._owners, key_of=key_of)

    def late_namer(self) -> LateNamer:
        """Return the namer of images whose content has been read."""
        names = [rendition.name for rendition in self.config.recipe.renditions]
        return LateNamer(
            self._template, names, refuse=self.config.placement.on_collision == "error", spelling=self.spelling or bytes
        )

    @cached_property
    def spelling(self) -> Spelling | None:
        """Return the spelling of portable names, if names are to be portable."""
        return Spelling(self.locations.has_output) if self.config.placement.portable_names else None

    @cached_property
    def _owners(self) -> NameOwners | None:
        """Return the owners of names; ``None`` in a plan whose names do not matter."""
        self._fetch_ledgers()
        return self._name_owners()

    def _name_owners(self) -> NameOwners:
        return NameOwners(self._ledgers, folds=self.folds)

    @cached_property
    def folds(self) -> bool:
        """Tell whether the destination ignores the case of names."""
        return ignores_case(self.locations.state)

    def _state_of_all_shards(self) -> Path:
        return self.locations.state.parent if self.config.selection.part.count > 1 else self.locations.state

    def _fetch_ledgers(self) -> None:
        """Bring the ledgers of an output in a store to this machine, if a run elsewhere has newer ones."""
        if not self.locations.output_root.local and not self._is_fetched:
            from pixmill.batch.state.remote.session import fetch_ledgers  # noqa: PLC0415  # most outputs are folders

            fetch_ledgers(self.locations.output_root, self._state_of_all_shards())
        self._is_fetched = True

    def _extension(self, codec: Codec) -> Extension:
        """Return the extension that ``codec`` writes or, for ``keep``, the function that reads it from the source."""
        if not codec.follows_source:
            return codec.format.extension
        return self._extension_lookups.setdefault(
            type(codec), partial(self._detect_extension, codec)
        )  # shared by all renditions, so each source is read once

    def _detect_extension(self, codec: Codec, path: bytes) -> str:
        own = own_extension(path)
        try:
            return codec.extension_for(self.locations.source.storage.head(self._locators.get(path, path), HEAD_BYTES), own)
        except ReadError as error:  # without an extension there is no name, so no worker can process it
            self._read_errors[path] = error
            return own


def plan(config: RunConfig, *, is_run: bool = False) -> Plan:
    """Resolve ``config`` into a plan; ``ConfigError`` or ``RunError`` when it cannot be run.

    Writes nothing, unless it ``is_run``: then it may create and remove an empty file to see which names the destination accepts.
    """
    config = config.evolve(recipe=config.recipe.resolved())
    locations = resolve_locations(config)
    if locations.target is None:
        check_names(config, locations.dataset)
    if locations.dataset is not None:
        from pixmill.batch.datasets.captions import with_captions  # noqa: PLC0415  # for datasets only

        config = with_captions(config, locations.source)
    return Plan(with_accepted_names(config, locations, may_write=is_run), locations)
