"""Seal what is finished: gather parts into shards, whose bytes depend on nothing but the images and the recipe.

A shard is written to the staging folder, whole and synced, and the catalogue is told what is in it. Then the catalogue is told
that it is to be sealed, and from there on that is seen through, by the next run if need be: the file is renamed, the catalogue
told again, and only then its parts are removed. A shard of parts alone, under a free name, is sealed at once. One that takes
the place of another, or takes over what is in another, waits until all of them are whole: then they change places together.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, Stage
from pixmill.batch.datasets.contents import Contents
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.events import ShardSealed
from pixmill.batch.datasets.index import is_indexed, remove_indexes, write_indexes
from pixmill.batch.datasets.index_rebuild import import_index
from pixmill.batch.datasets.sample import Sample, is_sample, sample_of
from pixmill.batch.datasets.sealing.commit import discard, remove_orphans, roll_forward
from pixmill.batch.datasets.sealing.staging import Staging, StaleSamples
from pixmill.batch.datasets.shard_file import translating_errors
from pixmill.batch.datasets.shard_layout import Bounds, ShardPlan, plan_shards
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.state import state_folder
from pixmill.core.errors import RunError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.task import State


class _Stopped(Exception):  # an answer, not an error
    """Somebody asked to stop."""


class Sealing:
    """Makes the shards of ``dataset`` hold what ``ledger`` holds as done. Nobody else writes to any of them meanwhile.

    ``contents`` is what there is to be believed when a run begins.
    """

    def __init__(
        self,
        dataset: Dataset,
        shelf: ShardStore,
        *,
        ledger: Ledger,
        catalogue: Catalogue,
        bounds: Bounds,
        publisher: EventPublisher,
    ) -> None:
        """Finish what a dead run has decided, and clear away what it left. ``ConfigError`` where strange shards would be lost.

        ``publisher`` tells of each shard that is sealed.
        """
        self._dataset = dataset
        self._shelf = shelf
        self._ledger = ledger
        self._catalogue = catalogue
        self._bounds = bounds
        self._publisher = publisher
        with translating_errors(dataset.work):
            for folder in (dataset.staging, dataset.parts):
                state_folder.make_within(folder.parent, folder.name)
            if is_indexed(dataset, shelf):  # after what this catalogue has decided, if anything: another machine went on
                catalogue.rollback_switch()
                import_index(dataset, catalogue, shelf, is_ours=lambda: ledger.counts().done > 0)
            roll_forward(dataset, catalogue, shelf)
            remove_orphans(dataset, catalogue, shelf)
        self.contents = Contents(dataset, catalogue, shelf)
        self._staging = Staging(dataset, ledger=ledger, catalogue=catalogue, contents=self.contents, check=self._check)
        self._goes_on: Callable[[], bool] = lambda: True
        self._is_changing = False

    def seal(self, goes_on: Callable[[], bool]) -> bool:
        """Seal everything; return ``False`` when ``goes_on``, which is asked before each sample, has said no before the end.

        ``RunError`` when it cannot be done, or when finished images are not there any more: these are pending from then on, and
        all the others are sealed.
        """
        self._goes_on = goes_on
        lost = 0
        try:
            while (outdated := self._pass()) is not None:
                self._ledger.reset(outdated.sources)
                lost += len(outdated.sources) if outdated.lost else 0
            self._commit_outcomes()
        except _Stopped:
            return False
        if lost:
            message = f"{plural(lost, 'finished image')} in {printable(self._dataset.parts)} are not what was written, or gone"
            raise RunError(message, code="parts-lost", hint="run the same command again: they are made anew")
        return True

    def close(self) -> None:
        """Let go of what is open."""
        self.contents.close()

    def _pass(self) -> StaleSamples | None:
        """Seal what is there; return what was counted on in vain, after which it must be gone through again."""
        self.contents.refresh()
        with translating_errors(self._dataset.work):
            try:
                self._go_through()
            except StaleSamples as outdated:
                return outdated
        return None

    def _go_through(self) -> None:
        shards = self._catalogue.shards()
        sealed = {shard.name: shard for shard in shards if shard.stage is Stage.SEALED}
        staged = {shard.name: shard for shard in shards if shard.stage is Stage.STAGED}
        waiting: list[DatasetShard] = []
        kept: set[int] = set()
        for draft in plan_shards(self._samples(), self._bounds):
            self._check()
            name, fingerprint = self._dataset.shard_name(draft.number), draft.fingerprint(self._dataset.identity)
            if name in sealed and sealed[name].fingerprint == fingerprint:
                kept.add(sealed[name].id)
            elif name in staged and staged[name].fingerprint == fingerprint:
                waiting.append(staged.pop(name))
            else:
                self._stage(draft, waiting, former=staged.pop(name, None), is_free=name not in sealed)
        for shard in staged.values():
            discard(self._dataset, self._catalogue, shard)
        leaving = [shard for shard in sealed.values() if shard.id not in kept]
        if waiting or leaving:
            self._seal(waiting, leaving)

    def _samples(self) -> Iterator[Sample]:
        """Yield what is done, in order; ``Outdated`` where an earlier run made files here whose names are no members'."""
        for record in self._ledger.records(State.DONE):
            try:
                yield sample_of(record)
            except ValueError:
                others = [each.key for each in self._ledger.records(State.DONE) if not is_sample(each)]
                raise StaleSamples(others, lost=True) from None

    def _stage(self, draft: ShardPlan, waiting: list[DatasetShard], *, former: DatasetShard | None, is_free: bool) -> None:
        """Write ``draft``, and seal it if it need not wait for others."""
        if former is not None:
            discard(self._dataset, self._catalogue, former)
        shard, is_of_parts = self._staging.write(draft)
        if not (is_free and is_of_parts):
            waiting.append(shard)
            return
        self._seal([shard], [])
        for sample in draft.samples:
            for member in sample.members:
                self.contents.remove_part(member)

    def _seal(self, sealing: Sequence[DatasetShard], leaving: Sequence[DatasetShard]) -> None:
        if not self._is_changing:
            remove_indexes(self._dataset, self._shelf)
            self._is_changing = True
        self._catalogue.begin_switch(sealing, leaving)
        for shard in roll_forward(self._dataset, self._catalogue, self._shelf):
            self._publisher.publish(ShardSealed, name=shard.name, samples=shard.samples, bytes=shard.size)

    def _commit_outcomes(self) -> None:
        """Every image that is done is sealed now: what parts there are belong to nobody."""
        self.contents.refresh()
        with translating_errors(self._dataset.work):
            shutil.rmtree(self._dataset.parts)
            self._dataset.parts.mkdir()
            if self._is_changing or not is_indexed(self._dataset, self._shelf):
                write_indexes(self._dataset, self._shelf, ledger=self._ledger, catalogue=self._catalogue, contents=self.contents)
                self._is_changing = False

    def _check(self) -> None:
        if not self._goes_on():
            raise _Stopped
