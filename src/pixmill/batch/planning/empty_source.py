"""The error for a source without any image: which files were ignored and why, and what to do."""

from collections.abc import Iterator, Mapping, Sequence

from pixmill.batch.config.pattern import PatternCount
from pixmill.batch.planning.ignored import ENABLED_BY, described, pattern_warnings
from pixmill.batch.planning.patterns import including
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable
from pixmill.engine.observability.metrics import FailureKind
from pixmill.imaging.formats import formats

BY_KIND = {
    "archive": "give an archive with images in it",
    "manifest": "give a list with one path or URL on each line",
}


class NoImages(ConfigError):
    """The source has no image. ``ignored`` counts its files by reason, ``patterns`` tells how often each pattern was used."""

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        ignored: Mapping[str, int],
        patterns: Sequence[PatternCount],
        other_images: Mapping[str, FailureKind],
    ) -> None:
        """Store the counts besides the message."""
        super().__init__(message, code="no-images", hint=hint)
        self.ignored = dict(ignored)
        self.other_images = dict(other_images)
        self.patterns = tuple(patterns)


def no_images(plan: Plan) -> NoImages:
    """Return the error for ``plan``, whose source has been listed to its end without finding an image."""
    selector = plan.selector
    parts = described(selector.ignored, selector.patterns, selector.other_images)
    message = f"no images found in {plan.config.source_text}" + (f" ({parts})" if parts else ": it is empty")
    return NoImages(
        message,
        hint="; ".join(_hints(plan)),
        ignored=selector.ignored,
        patterns=selector.patterns,
        other_images=selector.other_images,
    )


def _hints(plan: Plan) -> Iterator[str]:
    ignored, config = plan.selector.ignored, plan.config
    if "*" in config.source_text:
        yield f"pixmill expands no patterns: {including(config.sources[0], config.destination)}"
    if ignored.get("not-included") or ignored.get("excluded"):
        yield from list(pattern_warnings(plan.selector.patterns)) or ["change the patterns"]
        return
    yield from (f"{option} takes symbolic links" for reason, option in ENABLED_BY.items() if ignored.get(reason))
    if allowed := [each.name for each in formats() if each.opt_in and each.label in plan.selector.other_images]:
        yield f"--allow {','.join(allowed)} reads them"
    yield from _shards(plan)
    if ignored.get("not-an-image"):
        yield "--all-files detects images by content, whatever their extension"
    if find_ledger_files(plan.locations.state):
        yield "an earlier run found images: check that SRC is complete, and mounted if it is a mount; the outputs are kept"
    elif not ignored.total():
        kind = type(plan.locations.source).__module__.rpartition(".")[2]
        yield BY_KIND.get(kind, _place(plan))


def _shards(plan: Plan) -> Iterator[str]:
    """Yield how the shards of a dataset in a local folder, which is SRC, can be read."""
    folder = plan.locations.source.address.local
    if folder is None or not folder.is_dir():
        return
    for kind in ("tar", "parquet"):
        if next(folder.glob(f"*.{kind}"), None):
            yield f"for the images in its shards: pixmill run {kind}://{printable(folder)} {printable(plan.config.destination)}"


def _place(plan: Plan) -> str:
    if plan.locations.source.address.local is None:
        return "check the address: nothing is stored below it"
    return "put images there first; if it is a mount, check that it is mounted"
