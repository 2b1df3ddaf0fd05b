"""The first lines of a run: what it is about to do, before it is done."""

from collections.abc import Iterator

from pixmill.batch.run import BatchRun
from pixmill.core.text import printable

WIDTH = 10  # of the labels


def first_lines(run: BatchRun) -> Iterator[str]:
    """Yield what is said when ``run`` begins, a line each: what could surprise, then what is made."""
    yield from labelled("note", run.remarks, WIDTH)
    yield from labelled("makes", run.plan.makes, WIDTH)


def labelled(label: str, sentences: tuple[str, ...], width: int) -> Iterator[str]:
    """Yield ``sentences`` behind ``label`` and blanks, together of ``width``; the label stands before the first."""
    for index, sentence in enumerate(sentences):
        yield f"{'' if index else label:{width}}{printable(sentence)}"
