"""The first lines of a run: what it is about to do, before it is done."""

from collections.abc import Iterator

from pixmill.batch.plan import Plan
from pixmill.core.text import printable


def opening(made: Plan) -> Iterator[str]:
    """Yield what is said of ``made`` when its run begins, a line each."""
    yield from labelled("makes", made.makes, 10)


def labelled(label: str, sentences: tuple[str, ...], width: int) -> Iterator[str]:
    """Yield ``sentences`` behind ``label`` and blanks, together of ``width``; the label stands before the first."""
    for index, sentence in enumerate(sentences):
        yield f"{'' if index else label:{width}}{printable(sentence)}"
