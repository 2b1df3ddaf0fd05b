"""The previews of a report: they are selected, made on a pool, and limited in total size."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import Preview, PreviewOptions, PreviewRequest
from pixmill.batch.worker.confinement import reading_sandbox, runs_foreign_code
from pixmill.batch.worker.preload import PRELOAD
from pixmill.batch.worker.reference import THREADS
from pixmill.core.units import TimeLimit
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from pixmill.imaging.recipe import Recipe

SAMPLE_SIZE = 9  # previews of the sample
WORST_SIZE = 6  # previews of the least similar images
SIDE = 1600  # pixels of the longer side of a picture: most outputs are shown as they are
MAX_PREVIEW_BYTES = 4_000_000  # bytes of all previews together, before base64 adds a third: nine of the largest fit
PREVIEW_TIMEOUT = TimeLimit(60)
HANDLER = "pixmill.batch.report.previews.handler"


class Previews(msgspec.Struct, frozen=True, kw_only=True):
    """The previews of a report.

    ``checked`` are the measured similarities, lowest first; ``worst`` are the previews of the first of them.
    """

    sample: tuple[Preview, ...] = ()
    worst: tuple[Preview, ...] = ()
    checked: tuple[float, ...] = ()


def make_previews(images: Sequence[ImageSummary], options: PreviewOptions, *, check: int) -> Previews:
    """Return previews of the first of ``images``, and of the least similar among ``check`` of them, each image once."""
    requests = (
        PreviewRequest(image, show=index < SAMPLE_SIZE, compare=index < check)
        for index, image in enumerate(images[: max(SAMPLE_SIZE, check)])
    )
    made = sorted(run_requests(requests, options), key=lambda each: each.image.key)
    measured = sorted((each for each in made if each.similarity is not None), key=_similarity)
    worst = (
        run_requests((PreviewRequest(each.image, show=True, compare=True) for each in measured[:WORST_SIZE]), options)
        if measured
        else iter(())
    )
    ranked = tuple(_fitting(MAX_PREVIEW_BYTES, sorted(worst, key=_similarity)))
    budget = MAX_PREVIEW_BYTES - sum(map(_byte_size, ranked))
    shown = {each.image.key for each in ranked}
    return Previews(
        sample=tuple(_fitting(budget, (each for each in made if each.before and each.image.key not in shown))),
        worst=ranked,
        checked=tuple(each.similarity for each in measured if each.similarity is not None),
    )


def run_requests(requests: Iterable[PreviewRequest], options: PreviewOptions) -> Iterator[Preview]:
    """Yield the previews for ``requests``, in any order; images whose files are gone or unreadable are left out."""
    handler = handler_ref(options)
    tasks = (Task.of(b"%d" % number, msgspec.msgpack.encode(request)) for number, request in enumerate(requests))
    with open_run(tasks, handler, policy=Policy(attempts=1, timeout=PREVIEW_TIMEOUT)) as run:
        for outcome in run:
            if isinstance(outcome, Done):
                yield msgspec.msgpack.decode(outcome.result, type=Preview)


def handler_ref(options: PreviewOptions) -> HandlerRef:
    """Return the reference to the handler of preview workers, who are confined as far as the recipe allows."""
    is_foreign = runs_foreign_code(Recipe.from_builtins(options.recipe))
    return HandlerRef(
        f"{HANDLER}:preview_handler",
        msgspec.msgpack.encode(options),
        preload=(*PRELOAD, HANDLER),
        threads=THREADS,
        confinement=None if is_foreign else reading_sandbox(options),
    )


def _similarity(preview: Preview) -> float:
    return 1.0 if preview.similarity is None else preview.similarity


def _byte_size(preview: Preview) -> int:
    return len(preview.before) + len(preview.after)


def _fitting(budget: int, images: Iterable[Preview]) -> Iterator[Preview]:
    """Yield the first previews that fit into ``budget`` bytes together."""
    for each in images:
        budget -= _byte_size(each)
        if budget < 0:
            return
        yield each
