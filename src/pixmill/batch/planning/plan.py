"""``Plan``: what will be done, fully resolved against the world and fingerprinted. Makes tasks, writes nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from pixmill.batch.config import fingerprint
from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.keys import SampleNamer
from pixmill.batch.item import Item, to_task
from pixmill.batch.naming.namer import Extension, Namer
from pixmill.batch.naming.reserved import collision_key, is_reserved
from pixmill.batch.naming.template import own_extension
from pixmill.batch.planning.locations import Locations, resolve_locations
from pixmill.batch.planning.recipe_summary import recipe_summary
from pixmill.batch.planning.selection import HEAD, Selector
from pixmill.batch.progress.workload import WorkTotal, count_work
from pixmill.batch.source import Row
from pixmill.batch.state.identity import own_tag
from pixmill.batch.state.recorded_names import RecordedNames
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ConfigError, ImageError, ReadError
from pixmill.core.text import printable
from pixmill.engine.task import Task
from pixmill.imaging.codec import Codec
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, LocatedEntry
from pixmill.storage.local.mounts import is_within


class Plan:
    """The resolved form of a ``RunConfig``."""

    def __init__(self, config: RunConfig, places: Locations) -> None:
        """Take a configuration and its checked places."""
        self.config = config
        self.places = places
        self.selector = Selector(config.selection, places.source.storage, is_chosen=places.source.is_explicit)
        self._found_by: dict[bytes, bytes] = {}
        self._unseen: dict[bytes, ReadError] = {}
        self._looks: dict[type[Codec], Extension] = {}

    @cached_property
    def fingerprint(self) -> bytes:
        """Return what decides the bytes of every output besides its source."""
        return fingerprint.whole(self.config)

    @cached_property
    def rendition_fingerprints(self) -> tuple[bytes, ...]:
        """Return the same for each rendition on its own."""
        return fingerprint.each_rendition(self.config)

    @cached_property
    def makes(self) -> tuple[str, ...]:
        """Return what is made of each image, in words."""
        return recipe_summary(self.config.recipe)

    @property
    def tag(self) -> str:
        """Return the mark of this run's temporaries: its output and its shard, which the lock lets run once at a time."""
        return own_tag(self.places.lock_folder, self.config.selection.shard)

    @cached_property
    def assignment(self) -> HandlerOptions:
        """Return what the workers need to know."""
        config = self.config
        return HandlerOptions(
            source=self.places.source_root.url,
            destination=self.places.destination.url,
            tag=self.tag,
            recipe=config.recipe.to_builtins(),
            max_bytes=int(config.selection.max_bytes),
            durable=config.placement.durability == "full",
            keep_mtime="mtime" in config.placement.preserve,
            follow_symlinks=config.selection.follow_symlinks,
            fingerprints=self.rendition_fingerprints,
            existing="replace" if self.places.dataset else config.placement.existing,
            follow_output_links=config.placement.follow_output_links,
        )

    def items(self) -> Iterator[Item]:
        """Yield the inputs of this run, with the names of their outputs, as they are discovered."""
        refusals: list[Item] = []

        def refused(path: bytes, error: ImageError) -> None:
            refusals.append(Item(Entry(path + b"/", 0, b""), source_error=error.message))

        try:
            for entries in self.places.source.folders(refused, self.selector.leave_out):
                yield from self.items_of(entries)
                yield from refusals
                refusals.clear()
            yield from refusals
        finally:
            self.let_go()

    def items_of(self, entries: Sequence[Entry]) -> Iterator[Item]:
        """Yield the inputs among the ``entries`` of one folder, which must be all of them: their names may collide."""
        shard = self.config.selection.shard
        chosen, folders = self.selector.choose(entries)
        self._found_by = {entry.path: entry.locator for entry in chosen if isinstance(entry, LocatedEntry)}
        names = self.namer.names([entry.path for entry in chosen], folders)
        unseen, self._unseen = self._unseen, {}
        return (self.item(entry, names[entry.path], unseen.get(entry.path)) for entry in chosen if shard.takes(entry.path))

    def item(self, entry: Entry, names: tuple[bytes, ...], unseen: ReadError | None = None) -> Item:
        """Return the input for ``entry``: one that can only fail where it was not seen, or where its name is not for outputs."""
        if unseen is not None:
            return Item(Entry(entry.path, 0, b""), source_error=unseen.message)
        for name in names:
            if self._is_reserved(name):
                message = f"its output would be {printable(name)}, among the files that pixmill itself keeps there"
                return Item(Entry(entry.path, 0, b""), source_error=message, is_reserved=True)
        if not isinstance(entry, LocatedEntry):
            return Item(entry, names)
        columns = entry.columns if isinstance(entry, Row) else b""
        return Item(Entry(entry.path, entry.size, entry.version), names, locator=entry.locator, columns=columns)

    def _is_reserved(self, name: bytes) -> bool:
        return is_reserved(name) or (self._state_below is not None and is_within(collision_key(name), self._state_below))

    @cached_property
    def _state_below(self) -> bytes | None:
        """Return the way from DST to a state folder of another name in it, as ``identity`` of names has it."""
        state, destination = Address.parse(self.places.state), self.places.destination
        below = state.below(destination)
        return collision_key(below) if below else None

    def alike(self, config: RunConfig | None = None) -> "Plan":
        """Return a plan of the same, or of ``config`` at the same places, which counts by itself what is ignored."""
        other = Plan(config or self.config, self.places)
        other._recorded = self._recorded
        return other

    def let_go(self) -> None:
        """Close what was opened to name outputs; it is opened again where that is needed."""
        if self._recorded is not None:
            self._recorded.close()

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks of this run as they are discovered."""
        return (to_task(item, self.fingerprint) for item in self.items())

    def extent(self) -> WorkTotal:
        """Return how much there is to do by walking the source once more, for the total of a progress display."""
        config = self.config.evolve(recipe=Recipe())  # which needs no look into the sources to count them
        return count_work(self.alike(config).items())

    @cached_property
    def namer(self) -> Namer:
        """Return what names the outputs."""
        return self.make_namer()

    def make_namer(self, is_taken: Callable[[bytes, bytes], bool] | None = None) -> Namer:
        """Return what names the outputs, and leaves alone those of sources that are gone: ``is_taken(source, name)``."""
        renditions, placement = self.config.recipe.renditions, self.config.placement
        if len({(rendition.name, rendition.encode.format.name) for rendition in renditions}) < len(renditions):
            raise ConfigError("recipe.renditions: two of them have the same name and format")
        is_told_apart = "{ext}" in placement.name.text or self.places.dataset is not None
        if len({rendition.name for rendition in renditions}) < len(renditions) and not is_told_apart:
            message = f"name: {placement.name.text} would give the outputs in several formats one name"
            raise ConfigError(message, hint="put {ext} into it")
        several = len({rendition.name for rendition in renditions}) > 1
        refuse = placement.on_collision == "error"
        named = [(rendition.name, self._extension(rendition.encode)) for rendition in renditions]
        if self.places.dataset:
            return SampleNamer(placement.name, named, refuse=refuse, is_taken=is_taken, recorded=self._recorded)
        template = placement.name.with_rendition() if several else placement.name
        return Namer(template, named, refuse=refuse, is_taken=is_taken, recorded=self._recorded)

    @cached_property
    def _recorded(self) -> RecordedNames | None:
        """Return what tells the names on record, where they may be others than this version gives: those with ``{hash}``."""
        if "{hash}" not in self.config.placement.name.text:
            return None
        places, shard = self.places, self.config.selection.shard
        state = places.state.parent if shard.count > 1 else places.state
        if not places.output_root.local:
            from pixmill.batch.state.remote.session import fetch_ledgers  # noqa: PLC0415  # most outputs are folders

            fetch_ledgers(places.output_root, state)
        return RecordedNames(state, shard, None if places.dataset else places.destination.local)

    def _extension(self, codec: Codec) -> Extension:
        """Return the extension of what ``codec`` writes, or the function that looks into a source for it, as for ``keep``."""
        if not codec.follows_source:
            return codec.format.extension
        return self._looks.setdefault(type(codec), partial(self._looked_for, codec))  # one for all renditions: one look

    def _looked_for(self, codec: Codec, path: bytes) -> str:
        own = own_extension(path)
        try:
            return codec.extension_for(self.places.source.storage.head(self._found_by.get(path, path), HEAD), own)
        except ReadError as error:  # it has no name, so it is no task of a worker
            self._unseen[path] = error
            return own


def plan(config: RunConfig) -> Plan:
    """Resolve ``config`` against the world; ``ConfigError`` or ``RunError`` when it cannot be run. Writes nothing."""
    for step in fingerprint.all_steps(config.recipe):
        step.check()
    return Plan(config, resolve_locations(config))
