"""Tell outputs of the present recipe from those of an earlier one, which a run did not reach or whose sources are gone."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from pixmill.batch.config.fingerprint import rendition_fingerprints
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.shard import Shard
from pixmill.batch.item import ImageResult, Item, output_fingerprint, unpack
from pixmill.batch.state.combined_ledger import LedgerSummary
from pixmill.batch.state.resharding import recipe_of_shard
from pixmill.batch.state.source_keys import SourceKeys
from pixmill.batch.state.stored_config import config_of
from pixmill.core.errors import ConfigError
from pixmill.engine.ledger import FINISHED
from pixmill.engine.task import State
from pixmill.storage.entry import Entry

RecipeTest = Callable[[bytes, ImageResult], bool]


def made_by_other_recipes(summaries: Iterable[LedgerSummary]) -> int | None:
    """Return how many finished images have outputs of another recipe than that of the last run, in ledgers whose run did not end.

    ``None`` if that cannot be told: the recipe or one of its files is gone, or several sources were given, in which images do not
    have the paths that the fingerprints of their outputs contain. Reads every row of ledgers in which runs had several recipes.
    """
    total = 0
    for summary in summaries:
        if summary.runs and summary.runs[-1].reason != FINISHED:
            count = _count(summary)
            if count is None:
                return None
            total += count
    return total


def shards_of_other_recipes(summaries: Sequence[LedgerSummary]) -> frozenset[Shard]:
    """Return the shards whose last run had another recipe than the last run of all; none if that cannot be told."""
    try:
        recipes = {each.file.shard: recipe_of_shard(config_of(each.runs[-1])) for each in summaries if each.runs}
    except (ConfigError, OSError):
        return frozenset()
    newest = max(filter(_has_run, summaries), key=lambda each: each.runs[-1].started_at, default=None)
    return frozenset(shard for shard, recipe in recipes.items() if newest and recipe != recipes[newest.file.shard])


def _has_run(summary: LedgerSummary) -> bool:
    return bool(summary.runs)


def _count(summary: LedgerSummary) -> int | None:
    try:
        config = config_of(summary.runs[-1])
        renditions = rendition_fingerprints(config)
        configs = {run.metadata: run for run in summary.runs}  # thousands of runs may have had few
        if all(rendition_fingerprints(config_of(run)) == renditions for run in configs.values()):
            return 0
    except (ConfigError, OSError):
        return None
    with closing(summary.file.open()) as ledger:
        is_of = recipe_test(config, SourceKeys(prefixes=ledger.sources()))
        return None if is_of is None else sum(not is_of(each.key, unpack(each.result)) for each in ledger.records(State.DONE))


def recipe_test(config: RunConfig, keys: SourceKeys) -> RecipeTest | None:
    """Return the function that tells of a record's key and result whether its outputs are of the recipe of ``config``.

    It is assumed of results of earlier versions, which do not say what they were made from, and of images without outputs.
    ``None`` if it cannot be told.
    """
    if isinstance(config.source, tuple):
        return None
    renditions = rendition_fingerprints(config)
    return lambda key, result: bool(result.rejected) or not result.source.version or _has_all(result, keys.path(key), renditions)


def _has_all(result: ImageResult, path: bytes, renditions: Sequence[bytes]) -> bool:
    """Tell whether ``result`` of the image at ``path`` has an output of each of the ``renditions``, by their fingerprints."""
    if len(result.outputs) != len(renditions):
        return False
    names = tuple(output.name for output in result.outputs)
    sizes = (result.source_size, 0)  # the listing of a web address has no size
    items = [Item(Entry(path, size, result.source.version), names) for size in sizes]
    return all(
        output.fingerprint in {output_fingerprint(item, index, rendition) for item in items}
        for index, (output, rendition) in enumerate(zip(result.outputs, renditions, strict=True))
    )
