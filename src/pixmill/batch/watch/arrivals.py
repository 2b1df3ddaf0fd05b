"""The images of a watched folder as a stream of tasks: what is there, then what comes, each once it is whole."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import msgspec

from pixmill.batch.item import Item, to_task
from pixmill.batch.outputs.reuse import with_released_outputs
from pixmill.batch.planning.plan import Plan
from pixmill.batch.source import Folder
from pixmill.batch.watch.debounce import Debouncer
from pixmill.batch.watch.detectors.choose import choose_detector
from pixmill.batch.watch.detectors.detector import Changes, Detector
from pixmill.batch.watch.events import CaughtUp, NameRefused, OutputRemoved, SourceLost, SourceReturned, WatchStarted
from pixmill.batch.watch.folder_names import FolderNamer, NamedItems
from pixmill.batch.watch.mirror_deletes import DeletionMirror
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.root import Root, watched
from pixmill.core.errors import ConfigError, ImageError, ReadError
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import Failed, Outcome, Task
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage

GLANCE = 1.0  # seconds between two looks at whether the folder is still there
IDLE_SHARE = 4  # for each second that naming costs, this many seconds without: a burst comes in few large portions
ASSUMED_COMPLETE_AGE = 60.0  # seconds: what was last changed before them, by its own clock, was whole before anybody watched
# what browsers and copying programs call a file that they have not finished
PARTIAL_SUFFIXES = (b".part", b".partial", b".tmp", b".temp", b".crdownload", b".download", b".opdownload", b".filepart", b"~")
# a failure that says nothing about the image: it was not there, or not the same any more
TRANSIENT_CODES = frozenset({"changed", "read-changed", "read-vanished"})

Publish = Callable[..., None]


class Clocks(msgspec.Struct, frozen=True):
    """``elapsed`` returns seconds that only grow, ``now`` seconds since the epoch."""

    elapsed: Callable[[], float]
    now: Callable[[], float]


class Arrivals:
    """Iterate for the tasks; ``None`` means that there is nothing at the moment. Ends when ``goes_on`` returns ``False``.

    A path that has a task gets no other before ``finished`` was told of its outcome. ``tell(kind, **facts)`` hears of events.
    """

    def __init__(
        self, plan: Plan, ledger: Ledger, watching: WatchOptions, *, tell: Publish, goes_on: Callable[[], bool], clocks: Clocks
    ) -> None:
        """Look at nothing yet."""
        self._plan = plan
        self._ledger = ledger
        self._watching = watching
        self._publish = tell
        self._goes_on = goes_on
        self._clocks = clocks
        self._source, self._folder = watched(plan)
        self._root = Root(self._folder, plan.locations.own)
        self._siblings = FolderNamer(plan, ledger, empties=watching.empties)
        self._mirror = self._make_mirror() if watching.mirror else None
        self._gate = self._make_gate(lambda _: False)
        self._in_flight: set[bytes] = set()
        self._again: set[bytes] = set()
        self._looks_again_at = self._names_again_at = 0.0
        self._has_missed_something = self._is_behind = True

    def __iter__(self) -> Iterator[Task | None]:
        """Yield what is there and what comes."""
        while self._goes_on():
            if self._root.is_there():
                with closing(self._listen()) as detector:
                    yield from self._follow(detector)
            elif self._goes_on():
                yield from self._wait_for_return()

    def finished(self, outcome: Outcome) -> None:
        """Take note of the outcome of a task."""
        key = outcome.task.key
        self._in_flight.discard(key)
        if self._mirror and self._mirror.is_renaming(key):
            self._mirror.finished(key, spared=self._named(_folder(key), set(), set()).names)
        if isinstance(outcome, Failed) and outcome.remembered and outcome.failure.code in TRANSIENT_CODES:
            self._ledger.reset([key])
            self._again.add(key)
        if key in self._again:
            self._again.discard(key)
            self._gate.note(key)

    def _listen(self) -> Detector:
        root = bytes(self._folder)
        follow = self._plan.config.selection.follow_symlinks
        detector, reason = choose_detector(
            root, self._source.is_entered, follow=follow, poll=self._watching.poll, clock=self._clocks.elapsed
        )
        self._gate = self._make_gate(detector.is_open)
        self._has_missed_something = True
        self._publish(WatchStarted, method=detector.method, reason=reason)
        return detector

    def _follow(self, detector: Detector) -> Iterator[Task | None]:
        """Yield until the folder is gone, the detector can go on no more, or all is over."""
        while self._goes_on() and self._is_root_there():
            if self._has_missed_something:
                self._has_missed_something = False
                yield from self._everything(detector)
            try:
                self._note(detector.changes())
            except OSError:
                return
            yield from self._settled()
            self._tell_whether_caught_up()
            yield None

    def _wait_for_return(self) -> Iterator[None]:
        self._publish(SourceLost)
        while self._goes_on():
            if self._is_time_to_look() and self._root.has_returned():
                self._publish(SourceReturned)
                return
            yield None

    def _everything(self, detector: Detector) -> Iterator[Task]:
        """Yield what is there, folder by folder; what may still be growing waits at the gate."""
        refusals: list[Item] = []

        def refused(path: bytes, error: ImageError) -> None:
            refusals.append(Item(Entry(path + b"/", 0, b""), source_error=error.message))

        is_empty = True
        self._plan.selector.ignored.clear()  # nobody else counts here, and what is listed again is not more
        for entries in self._source.folders(refused, self._plan.selector.count_ignored):
            is_empty = False
            yield from self._old_ones(entries)
            self._note(detector.changes())
            yield from self._as_tasks(refusals)
            refusals.clear()
        yield from self._as_tasks(refusals)
        if self._mirror and not is_empty:  # a folder without anything in it is more likely one that was not mounted
            self._mirror.forget(self._mirror.missing(self._exists), spared=())

    def _old_ones(self, entries: Sequence[Entry]) -> Iterator[Task]:
        limit = (self._clocks.now() - ASSUMED_COMPLETE_AGE) * 1e9
        files = [entry for entry in entries if not isinstance(entry, Folder)]
        old = {entry.path for entry in files if int(entry.version) < limit}
        for entry in files:
            if entry.path not in old:
                self._note_file(entry.path)
        return self._as_tasks(self._guarded(entries, old).came)

    def _note(self, changes: Changes) -> None:
        """Hold at the gate whatever may have changed."""
        for path in changes.paths:
            self._note_file(path)
        for folder in changes.folders:
            if not folder:
                self._has_missed_something = True
                continue
            for entries in self._source.storage.list(folder, descend=self._source.is_entered, on_error=_leave_out):
                for entry in entries:
                    self._note_file(entry.path)

    def _note_file(self, path: bytes) -> None:
        name = path.rpartition(b"/")[2]
        if not name.startswith(b".") and not name.lower().endswith(PARTIAL_SUFFIXES):
            self._gate.note(path)
            self._is_behind = True

    def _settled(self) -> Iterator[Task]:
        """Yield the tasks of what the gate lets through, folder by folder."""
        began = self._clocks.elapsed()
        if began < self._names_again_at:
            return
        came: dict[bytes, set[bytes]] = defaultdict(set)
        gone: dict[bytes, set[bytes]] = defaultdict(set)
        for path, entry in self._gate.settled():
            if path in self._in_flight:
                self._again.add(path)
            else:
                (came if entry else gone)[_folder(path)].add(path)
        named = [self._change(folder, came[folder], gone[folder]) for folder in sorted({*came, *gone})]
        now = self._clocks.elapsed()
        self._names_again_at = now + IDLE_SHARE * (now - began)
        for each in named:
            yield from self._as_tasks(each.came)
            yield from self._as_tasks(item for item in each.renamed if item.entry.path not in self._gate)

    def _change(self, folder: bytes, came: set[bytes], gone: set[bytes]) -> NamedItems:
        """Name what came into ``folder``, and let the mirror see what went; without one, what went is of no interest."""
        if not self._mirror or not self._root.is_there():  # what went with the whole folder was not removed
            return self._named(folder, came, set()) if came else NamedItems()
        named = self._named(folder, came, gone)
        below = {key for path in gone for key in self._mirror.missing(self._exists, below=path)}
        left = self._mirror.forget(gone | below, spared=named.names)
        for item in named.renamed:
            left += self._mirror.rename(item.entry.path)
        return msgspec.structs.replace(
            named,
            came=tuple(with_released_outputs(item, left) for item in named.came),
            renamed=tuple(with_released_outputs(item, left) for item in named.renamed),
        )

    def _named(self, folder: bytes, came: set[bytes], gone: set[bytes]) -> NamedItems:
        return self._guarded(self._siblings.listed(folder), came, gone)

    def _guarded(self, entries: Sequence[Entry], came: set[bytes], gone: set[bytes] | None = None) -> NamedItems:
        try:
            return self._siblings.named(entries, came=came, gone=gone or ())
        except ConfigError as error:
            self._publish(NameRefused, message=error.message)
            return NamedItems()

    def _as_tasks(self, items: "Sequence[Item] | Iterator[Item]") -> Iterator[Task]:
        for item in items:
            task = to_task(item, self._plan.fingerprint)
            if task.key not in self._in_flight:
                self._in_flight.add(task.key)
                self._is_behind = True
                yield task

    def _tell_whether_caught_up(self) -> None:
        if self._is_behind and not self._in_flight and not self._gate:
            self._is_behind = False
            self._publish(CaughtUp)

    def _is_root_there(self) -> bool:
        return not self._is_time_to_look() or self._root.is_there()

    def _is_time_to_look(self) -> bool:
        now = self._clocks.elapsed()
        if now < self._looks_again_at:
            return False
        self._looks_again_at = now + GLANCE
        return True

    def _make_gate(self, is_open: Callable[[bytes], bool]) -> Debouncer:
        return Debouncer(self._look, is_open, settle=self._watching.settle, clock=self._clocks.elapsed)

    def _make_mirror(self) -> DeletionMirror:
        destination = open_storage(self._plan.locations.destination)
        return DeletionMirror(self._ledger, destination, lambda name: self._publish(OutputRemoved, name=name))

    def _look(self, path: bytes) -> Entry | None:
        """Return what is at ``path``. What cannot be looked at is not gone."""
        try:
            return self._source.storage.stat(path)
        except ReadError:
            return Entry(path, 0, b"")

    def _exists(self, path: bytes) -> bool:
        return self._look(path) is not None


def _leave_out(path: bytes, error: ImageError) -> None:
    """Pass over a folder that went again, or that nobody may read."""
    del path, error


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]
