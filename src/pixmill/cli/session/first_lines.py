"""The first lines of a run, printed before it starts to process images."""

from collections.abc import Iterator

from pixmill.batch.batch_run import BatchRun
from pixmill.core.humanize import plural
from pixmill.core.text import printable

WIDTH = 10  # of the labels


def first_lines(run: BatchRun) -> Iterator[str]:
    """Yield the lines printed at the start of ``run``: notes on anything unexpected, then the outputs it makes."""
    yield from labelled("note", run.remarks, WIDTH)
    if run.choice is not None:
        chosen = f"{len(run.choice.items):,} of {plural(run.choice.found, 'image')}, into {run.plan.config.destination}"
        yield from labelled("sample", (chosen,), WIDTH)
    yield from labelled("makes", run.plan.makes, WIDTH)


def labelled(label: str, sentences: tuple[str, ...], width: int) -> Iterator[str]:
    """Yield ``sentences``, indented by ``width``; the first line starts with ``label``."""
    for index, sentence in enumerate(sentences):
        yield f"{'' if index else label:{width}}{printable(sentence)}"
