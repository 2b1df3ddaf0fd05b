"""The pictures of a report: which are wanted, made on the pool, and chosen by what they may weigh."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import Preview, PreviewOptions, PreviewRequest
from pixmill.batch.worker.preload import PRELOAD
from pixmill.core.units import Duration
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task

SHOWN = 12  # pictures of the sample
WORST = 6  # pictures of those that look least like what they were
HEAVIEST = 1_400_000  # bytes of all pictures together, before they grow by a third as text
PATIENCE = Duration(60)
HANDLER = "pixmill.batch.report.previews.handler"


class Previews(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures before and after.

    ``checked`` are the similarities that were measured, the lowest first; ``worst`` the pictures of the first of them.
    """

    sample: tuple[Preview, ...] = ()
    worst: tuple[Preview, ...] = ()
    checked: tuple[float, ...] = ()


def make_previews(pictures: Sequence[ImageSummary], options: PreviewOptions, *, check: int) -> Previews:
    """Return small pictures of the first of ``pictures``, and the least similar of ``check`` of them."""
    errands = (
        PreviewRequest(picture, show=index < SHOWN, compare=index < check)
        for index, picture in enumerate(pictures[: max(SHOWN, check)])
    )
    made = sorted(show(errands, options), key=lambda each: each.picture.key)
    measured = sorted((each for each in made if each.similarity is not None), key=_similarity)
    worst = (
        show((PreviewRequest(each.picture, show=True, compare=True) for each in measured[:WORST]), options)
        if measured
        else iter(())
    )
    ranked = sorted(worst, key=_similarity)
    room = HEAVIEST - sum(map(_weight, ranked))
    return Previews(
        sample=tuple(_within(room, (each for each in made if each.before))),
        worst=tuple(_within(HEAVIEST, ranked)),
        checked=tuple(each.similarity for each in measured if each.similarity is not None),
    )


def show(errands: Iterable[PreviewRequest], options: PreviewOptions) -> Iterator[Preview]:
    """Yield what became of ``errands``, in any order; those whose files are gone or cannot be read any more are left out."""
    handler = handler_ref(options)
    tasks = (Task.of(b"%d" % number, msgspec.msgpack.encode(errand)) for number, errand in enumerate(errands))
    with open_run(tasks, handler, policy=Policy(attempts=1, timeout=PATIENCE)) as under_way:
        for outcome in under_way:
            if isinstance(outcome, Done):
                yield msgspec.msgpack.decode(outcome.result, type=Preview)


def handler_ref(options: PreviewOptions) -> HandlerRef:
    """Return the reference to what makes pictures in a worker."""
    return HandlerRef(f"{HANDLER}:picture_handler", msgspec.msgpack.encode(options), preload=(*PRELOAD, HANDLER))


def _similarity(shown: Preview) -> float:
    return 1.0 if shown.similarity is None else shown.similarity


def _weight(shown: Preview) -> int:
    return len(shown.before) + len(shown.after)


def _within(room: int, pictures: Iterable[Preview]) -> Iterator[Preview]:
    """Yield the pictures that fit into ``room`` bytes together."""
    for each in pictures:
        room -= _weight(each)
        if room < 0:
            return
        yield each
