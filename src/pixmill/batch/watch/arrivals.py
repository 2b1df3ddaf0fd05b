"""The images of a watched folder as a stream of tasks: existing files, then arriving ones, each when it is complete."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import msgspec

from pixmill.batch.item import Item, from_payload
from pixmill.batch.planning.plan import Plan
from pixmill.batch.source import Folder
from pixmill.batch.watch.debounce import Debouncer
from pixmill.batch.watch.detectors.choose import choose_detector
from pixmill.batch.watch.detectors.detector import Changes, Detector
from pixmill.batch.watch.events import CaughtUp, NameRefused, OutputRemoved, SourceLost, SourceReturned, WatchStarted
from pixmill.batch.watch.folder_names import FolderNamer
from pixmill.batch.watch.mirror_deletes import DeletionMirror
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.root import WatchedRoot, watched_folder
from pixmill.core.errors import ConfigError, ImageError, ReadError
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import Failed, Outcome, Task
from pixmill.storage.entry import Entry

ROOT_CHECK_INTERVAL = 1.0  # seconds between two checks whether the folder still exists
IDLE_SHARE = 4  # seconds of pause for each second of naming, so that a burst is named in few large batches
ASSUMED_COMPLETE_AGE = 60.0  # seconds; a file last modified before that, by its file system's clock, is complete at the start
# suffixes that browsers and copy programs use for unfinished files
PARTIAL_SUFFIXES = (b".part", b".partial", b".tmp", b".temp", b".crdownload", b".download", b".opdownload", b".filepart", b"~")
# failures that say nothing about the image: it was missing or had changed
TRANSIENT_CODES = frozenset({"changed", "read-changed", "read-vanished"})

Publish = Callable[..., None]


class Clocks(msgspec.Struct, frozen=True):
    """``elapsed`` is monotonic, in seconds; ``now`` returns seconds since the epoch."""

    elapsed: Callable[[], float]
    now: Callable[[], float]


class Arrivals:
    """Iterate for the tasks; ``None`` means that there is none at the moment. Ends when ``should_continue`` returns ``False``.

    A path with a task gets no other one until ``finished`` has been called with its outcome. ``publish(kind, **fields)``
    receives events.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        options: WatchOptions,
        *,
        publish: Publish,
        should_continue: Callable[[], bool],
        clocks: Clocks,
    ) -> None:
        """Read nothing yet."""
        self._plan = plan
        self._ledger = ledger
        self._options = options
        self._publish = publish
        self._should_continue = should_continue
        self._clocks = clocks
        self._source, self._folder = watched_folder(plan)
        self._root = WatchedRoot(self._folder, plan.locations.own)
        self._namer = FolderNamer(plan, ledger, empties=options.empties)
        self._mirror = self._make_mirror() if options.mirror else None
        self._debouncer = self._make_debouncer(lambda _: False)
        self._in_flight: set[bytes] = set()
        self._changed_in_flight: set[bytes] = set()
        self._next_root_check = self._next_naming = 0.0
        self._needs_full_listing = self._is_behind = True
        self._is_reported = False  # by the kernel, rather than found by comparing listings

    def __iter__(self) -> Iterator[Task | None]:
        """Yield the tasks of existing and of arriving images."""
        while self._should_continue():
            if self._root.is_there():
                with closing(self._start_detector()) as detector:
                    yield from self._follow(detector)
            elif self._should_continue():
                yield from self._wait_for_return()

    def finished(self, outcome: Outcome) -> None:
        """Record the outcome of a task."""
        path = from_payload(outcome.task.payload).entry.path
        self._in_flight.discard(path)
        if isinstance(outcome, Failed) and outcome.remembered and outcome.failure.code in TRANSIENT_CODES:
            self._ledger.reset([outcome.task.key])
            self._changed_in_flight.add(path)
        if path in self._changed_in_flight:
            self._changed_in_flight.discard(path)
            self._debouncer.note(path)

    def _start_detector(self) -> Detector:
        root = bytes(self._folder)
        follow = self._plan.config.selection.follow_symlinks
        detector, reason = choose_detector(
            root, self._source.is_entered, follow=follow, poll=self._options.poll, clock=self._clocks.elapsed
        )
        self._debouncer = self._make_debouncer(detector.is_open)
        self._is_reported = detector.method == "inotify"
        self._needs_full_listing = True
        self._publish(WatchStarted, method=detector.method, reason=reason)
        return detector

    def _follow(self, detector: Detector) -> Iterator[Task | None]:
        """Yield tasks until the folder is gone, the detector fails, or the watch ends."""
        while self._should_continue() and self._is_root_there():
            if self._needs_full_listing:
                self._needs_full_listing = False
                yield from self._list_all(detector)
            try:
                self._note(detector.changes())
            except OSError:
                return
            yield from self._debounced()
            self._publish_if_caught_up()
            yield None

    def _wait_for_return(self) -> Iterator[None]:
        self._publish(SourceLost)
        while self._should_continue():
            if self._is_root_check_due() and self._root.has_returned():
                self._publish(SourceReturned)
                return
            yield None

    def _list_all(self, detector: Detector) -> Iterator[Task]:
        """Yield the existing images, folder by folder; files that may still be growing are debounced."""
        refusals: list[Item] = []

        def refused(path: bytes, error: ImageError) -> None:
            if self._plan.selector.excludes_unreadable(path):
                return
            refusals.append(Item(Entry(path + b"/", 0, b""), source_error=error.message))

        is_empty = True
        self._plan.selector.reset_counts()  # only this loop counts them, and listing a file again must not count it twice
        for entries in self._source.folders(refused, self._plan.selector.count_ignored):
            is_empty = is_empty and not entries
            yield from self._complete_files(entries) if entries else ()
            self._note(detector.changes())
            yield from self._as_tasks(refusals)
            refusals.clear()
        yield from self._as_tasks(refusals)
        if self._mirror and not is_empty:  # an empty folder is more likely an unmounted one
            self._mirror.remove(self._mirror.missing())

    def _complete_files(self, entries: Sequence[Entry]) -> Iterator[Task]:
        limit = (self._clocks.now() - ASSUMED_COMPLETE_AGE) * 1e9
        files = [entry for entry in entries if not isinstance(entry, Folder)]
        old = {entry.path for entry in files if int(entry.version) < limit}
        for entry in files:
            if entry.path not in old:
                self._note_file(entry.path)
        return self._as_tasks(self._name_or_report(entries, old, is_listing=True))

    def _note(self, changes: Changes) -> None:
        """Debounce all files that may have changed."""
        for path in changes.paths:
            self._note_file(path)
        for folder in changes.folders:
            if not folder:
                self._needs_full_listing = True
                continue
            for entries in self._source.storage.list(folder, descend=self._source.is_entered, on_error=_ignore):
                for entry in entries:
                    self._note_file(entry.path)

    def _note_file(self, path: bytes) -> None:
        name = path.rpartition(b"/")[2]
        if not name.startswith(b".") and not name.lower().endswith(PARTIAL_SUFFIXES):
            self._debouncer.note(path)
            self._is_behind = True

    def _debounced(self) -> Iterator[Task]:
        """Yield the tasks of files that are ready, folder by folder."""
        began = self._clocks.elapsed()
        if began < self._next_naming:
            return
        arrived: dict[bytes, set[bytes]] = defaultdict(set)
        gone: dict[bytes, set[bytes]] = defaultdict(set)
        for path, entry in self._debouncer.ready():
            if path in self._in_flight:
                self._changed_in_flight.add(path)
            else:
                (arrived if entry else gone)[_folder(path)].add(path)
        named = [self._name_and_mirror(folder, arrived[folder], gone[folder]) for folder in sorted({*arrived, *gone})]
        now = self._clocks.elapsed()
        self._next_naming = now + IDLE_SHARE * (now - began)
        for items in named:
            yield from self._as_tasks(items)

    def _name_and_mirror(self, folder: bytes, arrived: set[bytes], gone: set[bytes]) -> list[Item]:
        """Mirror removals, then name the files that arrived in ``folder``; without a mirror, removals are ignored."""
        if self._mirror and self._root.is_there():  # files that vanished with the root folder do not count as removed
            self._mirror.remove(self._mirror.gone(gone, is_reported=self._is_reported))
        return self._name_or_report(self._namer.list_folder(folder, arrived), arrived) if arrived else []

    def _name_or_report(self, entries: Sequence[Entry], arrived: set[bytes], *, is_listing: bool = False) -> list[Item]:
        selector = self._plan.selector if is_listing else None
        try:
            return self._namer.name_items(entries, arrived=arrived, selector=selector)
        except ConfigError as error:
            self._publish(NameRefused, message=error.message)
            return []

    def _as_tasks(self, items: "Sequence[Item] | Iterator[Item]") -> Iterator[Task]:
        for item in items:
            if item.entry.path not in self._in_flight:
                self._in_flight.add(item.entry.path)
                self._is_behind = True
                yield self._plan.task(item)

    def _publish_if_caught_up(self) -> None:
        if self._is_behind and not self._in_flight and not self._debouncer:
            self._is_behind = False
            self._publish(CaughtUp)

    def _is_root_there(self) -> bool:
        return not self._is_root_check_due() or self._root.is_there()

    def _is_root_check_due(self) -> bool:
        now = self._clocks.elapsed()
        if now < self._next_root_check:
            return False
        self._next_root_check = now + ROOT_CHECK_INTERVAL
        return True

    def _make_debouncer(self, is_open: Callable[[bytes], bool]) -> Debouncer:
        return Debouncer(self._stat, is_open, settle=self._options.settle, clock=self._clocks.elapsed)

    def _make_mirror(self) -> DeletionMirror:
        return DeletionMirror(self._plan, self._ledger, lambda name: self._publish(OutputRemoved, name=name))

    def _stat(self, path: bytes) -> Entry | None:
        """Return the entry at ``path``. A file that cannot be read is not treated as gone."""
        try:
            return self._source.storage.stat(path)
        except ReadError:
            return Entry(path, 0, b"")


def _ignore(path: bytes, error: ImageError) -> None:
    """Skip a folder that is gone again or unreadable."""
    del path, error


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]
