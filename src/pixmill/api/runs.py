"""Runs from Python: ``run`` to the end, or ``open_run`` to follow each image."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Unpack

from pixmill.api.errors import with_keywords
from pixmill.api.keywords import RunOptions
from pixmill.batch import run as batch
from pixmill.batch.batch_run import BatchRun
from pixmill.batch.config.options import resolve
from pixmill.batch.report.summary import Report
from pixmill.core.events import Observer
from pixmill.core.operating_system import require_processes
from pixmill.imaging.recipe import Recipe

Place = str | os.PathLike[str]
Places = Place | Sequence[Place]
RecipeLike = Recipe | Mapping[str, object] | str | os.PathLike[str]


def run(
    source: Places,
    destination: Place,
    recipe: RecipeLike | None = None,
    *,
    observers: Sequence[Observer] = (),
    progress: bool = False,
    **options: Unpack[RunOptions],
) -> Report:
    """Process the images below ``source`` into ``destination`` and return the report. Call it again to resume or to update.

    Several sources are put into ``destination`` as ``cp -r`` does. If it has the extension of an image format, one image is
    written to exactly this file.

    ``recipe``: how to process each image, also as a table or as the path of a TOML file. ``progress``: show a progress bar, in a
    terminal or a notebook. ``options`` are those of the command by their Python names: ``workers=8``, ``size="800x600"``,
    ``timeout="30s"``; see ``help(pixmill.RunOptions)``.

    With ``sample=20`` only that many images are processed, into a scratch folder: ``report.sample`` has the estimates for all of
    them, and the paths of the folder and of its HTML report.

    Raises ``ConfigError`` when the run could not start and ``RunError`` when the environment or too many failures stopped it;
    failed images are counted in the report. Code that uses a step from the same file must be under ``if __name__ == "__main__":``.
    """
    with open_run(source, destination, recipe, observers=observers, progress=progress, **options) as under_way:
        for _ in under_way:
            pass
    return under_way.report()


def _texts(source: Places) -> list[str]:
    """Return the addresses of all sources."""
    return [os.fspath(each) for each in ([source] if isinstance(source, str | os.PathLike) else source)]


@contextmanager
def open_run(
    source: Places,
    destination: Place,
    recipe: RecipeLike | None = None,
    *,
    observers: Sequence[Observer] = (),
    progress: bool = False,
    **options: Unpack[RunOptions],
) -> Iterator[BatchRun]:
    """Start a run, and iterate over it for the outcome of each image as it finishes, or over its ``results()`` in plain words.

    The parameters are those of ``run``. Leaving the block, normally or by an exception, stops the run and cleans up.
    """
    require_processes("pixmill.run")
    place = os.fspath(destination)
    state = options.get("state")
    with with_keywords(place, None if state is None else os.fspath(state)), ExitStack() as stack:
        values = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in options.items()}
        config = resolve(_texts(source), place, values, recipe_layer(recipe))
        if progress:
            from pixmill.api.progress import RunDisplay  # noqa: PLC0415  # a display that few programs request

            display = RunDisplay()
            under_way = stack.enter_context(batch.open_run(config, observers=[display.progress, *observers]))
            stack.enter_context(display.displaying(under_way))
        else:
            under_way = stack.enter_context(batch.open_run(config, observers=observers))
        yield under_way
    if under_way.choice is not None:
        from pixmill.batch.report.write import write_report  # noqa: PLC0415  # most runs write none

        write_report(under_way.plan.config.destination, path=under_way.report_path)


def recipe_layer(recipe: RecipeLike | None) -> Mapping[str, object]:
    """Return ``recipe`` as a layer of options."""
    if recipe is None:
        return {}
    return {"recipe": os.fspath(recipe) if isinstance(recipe, os.PathLike) else recipe}
