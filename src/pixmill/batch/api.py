"""The Python API of pixmill: the options of the command, as keyword arguments."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pixmill.batch import run as batch
from pixmill.batch.config.options import resolve
from pixmill.batch.report.summary import Report
from pixmill.batch.run import BatchRun
from pixmill.core.events import Observer
from pixmill.imaging.input import Input
from pixmill.imaging.recipe import Recipe

Place = str | os.PathLike[str]
Places = Place | Sequence[Place]


def run(
    source: Places, destination: Place, recipe: Recipe | None = None, *, observers: Sequence[Observer] = (), **options: object
) -> Report:
    """Process the images below ``source`` into ``destination`` and return the report.

    Several sources are put into ``destination`` as ``cp -r`` does. If it has the extension of an image format, one image is
    written to exactly this file.

    Call it again to resume or to update. ``options`` are those of the command by their Python names: ``workers=8``,
    ``size="800x600"``, ``timeout="30s"``. Raises ``ConfigError`` when the run could not start and ``RunError`` when the
    environment stopped it; failed images are counted in the report.
    """
    with open_run(source, destination, recipe, observers=observers, **options) as under_way:
        for _ in under_way:
            pass
    return under_way.report()


@contextmanager
def open_run(
    source: Places, destination: Place, recipe: Recipe | None = None, *, observers: Sequence[Observer] = (), **options: object
) -> Iterator[BatchRun]:
    """Start a run and iterate over its outcomes as images finish; leaving the block, normally or by an exception, cleans up."""
    config = resolve(_texts(source), os.fspath(destination), options, {} if recipe is None else {"recipe": recipe})
    with batch.open_run(config, observers=observers) as under_way:
        yield under_way


def _texts(source: Places) -> list[str]:
    """Return the addresses of all sources."""
    return [os.fspath(each) for each in ([source] if isinstance(source, str | os.PathLike) else source)]


def process(data: bytes, recipe: Recipe | None = None) -> bytes:
    """Process one image in this process: ``data`` is the content of the source file, the result that of the output file.

    Raises ``ImageError`` where a run would record a failure. Hostile input can crash the process: a run is protected against
    that, this call is not.
    """
    from pixmill.imaging.process import process as process_image  # noqa: PLC0415  # a coordinator never loads the pipeline

    result = process_image(Input(data), recipe or Recipe())
    return result.outputs[0].data
