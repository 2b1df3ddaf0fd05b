"""Seal finished images: pack parts into shards, whose bytes depend only on the images and the recipe.

A shard is written to the staging folder and synced, and its contents are recorded in the catalogue. Then the catalogue records
that it is to be sealed. From there on the switch is always completed, by the next run if necessary: the file is renamed, the
catalogue updated, and only then are its parts removed. A shard that consists of parts only and has an unused name is sealed at
once. One that replaces another shard, or contains outputs from another, waits until all such shards are complete: then they are
switched together.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, Stage
from pixmill.batch.datasets.contents import Contents
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.events import ShardSealed
from pixmill.batch.datasets.index import has_present_indexes, is_indexed, remove_indexes, write_indexes
from pixmill.batch.datasets.index_rebuild import import_index
from pixmill.batch.datasets.sample import Sample, is_sample, sample_of, with_samples
from pixmill.batch.datasets.sealing.commit import discard, remove_orphans, roll_forward
from pixmill.batch.datasets.sealing.staging import Staging, StaleSamples
from pixmill.batch.datasets.shard_file import translating_errors
from pixmill.batch.datasets.shard_layout import Layout, ShardPlan, shard_plans
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.state import state_folder
from pixmill.core.errors import RunError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.publisher import EventPublisher


class _Stopped(Exception):  # control flow, not an error
    """The run was asked to stop."""


class Sealing:
    """Packs the images that ``ledger`` records as done into the shards of ``dataset``. No other process may write to them.

    ``contents`` are the outputs that a run can trust when it begins.
    """

    def __init__(  # noqa: PLR0913  # each is a part of the dataset
        self,
        dataset: Dataset,
        store: ShardStore,
        *,
        ledger: Ledger,
        catalogue: Catalogue,
        layout: Layout,
        publisher: EventPublisher,
        replaces: bool = False,
        verifies: bool = False,
    ) -> None:
        """Complete the switch of a dead run and remove its leftovers. ``ConfigError`` if unknown shards would be overwritten.

        ``publisher`` publishes an event for each sealed shard. With ``replaces``, shards that were changed are written again;
        with ``verifies``, their content tells that.
        """
        self._dataset = dataset
        self._store = store
        self._ledger = ledger
        self._catalogue = catalogue
        self._layout = layout
        self._publisher = publisher
        with translating_errors(dataset.work_folder):
            for folder in (dataset.staging, dataset.parts):
                state_folder.make_within(folder.parent, folder.name)
            if is_indexed(dataset, store):  # complete since this catalogue began a switch, if it did: another machine has continued
                catalogue.rollback_switch()
                import_index(dataset, catalogue, store, is_ours=lambda: ledger.counts().done > 0)
            roll_forward(dataset, catalogue, store)
            remove_orphans(dataset, catalogue, store, replaces=replaces, verifies=verifies, splits=layout.splits.shares)
        self.contents = Contents(dataset, catalogue, store)
        self._staging = Staging(dataset, ledger=ledger, catalogue=catalogue, contents=self.contents, check=self._check)
        self._should_continue: Callable[[], bool] = lambda: True
        self._has_no_indexes = False

    def seal(self, should_continue: Callable[[], bool]) -> bool:
        """Seal everything. ``should_continue`` is called before each sample; when it returns ``False``, stop and return ``False``.

        ``RunError`` if it fails, or if finished images are missing: these become pending, and all others are sealed.
        """
        self._should_continue = should_continue
        lost = 0
        try:
            while (stale := self._run_pass()) is not None:
                if stale.lost:
                    self._refuse_changed(self.contents.changed_shards)
                self._ledger.reset(stale.sources)
                lost += len(stale.sources) if stale.lost else 0
            self._finish()
        except _Stopped:
            return False
        if lost:
            message = f"{plural(lost, 'finished image')} in {printable(self._dataset.parts)} are missing or damaged"
            raise RunError(message, code="parts-lost", hint="run the same command again to process them again")
        return True

    def close(self) -> None:
        """Close the open shard."""
        self.contents.close()

    def _run_pass(self) -> StaleSamples | None:
        """Seal all samples; return the stale ones if there are any: the caller resets these and runs another pass."""
        self.contents.refresh()
        with translating_errors(self._dataset.work_folder):
            try:
                self._seal_missing()
            except StaleSamples as stale:
                return stale
        return None

    def _seal_missing(self) -> None:
        shards = self._catalogue.shards()
        sealed = {shard.name: shard for shard in shards if shard.stage is Stage.SEALED}
        staged = {shard.name: shard for shard in shards if shard.stage is Stage.STAGED}
        waiting: list[DatasetShard] = []
        unchanged: set[int] = set()
        for plan in shard_plans(self._samples(), self._layout):
            self._check()
            name, fingerprint = self._dataset.shard_name(plan.number, plan.split), plan.fingerprint(self._dataset.identity)
            if name in sealed and sealed[name].fingerprint == fingerprint:
                unchanged.add(sealed[name].id)
            elif name in staged and staged[name].fingerprint == fingerprint:
                waiting.append(staged.pop(name))
            else:
                self._refuse_changed({name} & self.contents.changed_shards)
                self._stage(plan, waiting, former=staged.pop(name, None), is_free=name not in sealed)
        for shard in staged.values():
            discard(self._dataset, self._catalogue, shard)
        retiring = [shard for shard in sealed.values() if shard.id not in unchanged]
        self._refuse_changed({shard.name for shard in retiring} & self.contents.changed_shards)
        if waiting or retiring:
            self._seal(waiting, retiring)

    def _refuse_changed(self, names: Collection[str]) -> None:
        """Raise ``RunError`` if there are ``names`` of changed shards, which would have to be written again."""
        if names:
            message = f"{printable(min(names))} was changed since pixmill wrote it, and would have to be written again"
            hint = "move it away, or add --existing replace to the same command: it continues where it stopped"
            raise RunError(message, code="shard-changed", hint=hint)

    def _samples(self) -> Iterator[Sample]:
        """Yield the done samples in order; ``StaleSamples`` if an earlier run wrote files here that are not named like members."""
        for record in with_samples(self._ledger):
            if self._layout.seed is not None:
                self._check()  # all of them are sorted before the first shard
            try:
                yield sample_of(record, self._layout.caption)
            except ValueError:
                others = [each.key for each in with_samples(self._ledger) if not is_sample(each)]
                raise StaleSamples(others, lost=True) from None

    def _stage(self, plan: ShardPlan, waiting: list[DatasetShard], *, former: DatasetShard | None, is_free: bool) -> None:
        """Write ``plan``, and seal it if it does not have to wait for others."""
        if former is not None:
            discard(self._dataset, self._catalogue, former)
        shard, is_of_parts = self._staging.write(plan)
        if not (is_free and is_of_parts):
            waiting.append(shard)
            return
        self._seal([shard], [])
        for sample in plan.samples:
            for member in sample.members:
                self.contents.remove_part(member)

    def _seal(self, sealing: Sequence[DatasetShard], retiring: Sequence[DatasetShard]) -> None:
        if not self._has_no_indexes:
            remove_indexes(self._dataset, self._store)
            self._has_no_indexes = True
        self._catalogue.begin_switch(sealing, retiring)
        for shard in roll_forward(self._dataset, self._catalogue, self._store):
            self._publisher.publish(ShardSealed, name=shard.name, samples=shard.samples, bytes=shard.size)

    def _finish(self) -> None:
        """Remove the remaining parts, which nothing refers to now that every done image is sealed, and write the indexes."""
        self.contents.refresh()
        with translating_errors(self._dataset.work_folder):
            shutil.rmtree(self._dataset.parts)
            self._dataset.parts.mkdir()
            if self._has_no_indexes or not has_present_indexes(self._dataset, self._store):
                plans = shard_plans(self._samples(), self._layout)
                write_indexes(self._dataset, self._store, plans=plans, catalogue=self._catalogue, contents=self.contents)
                self._has_no_indexes = False

    def _check(self) -> None:
        if not self._should_continue():
            raise _Stopped
