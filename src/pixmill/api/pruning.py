"""Pruning from Python."""

import os

from pixmill.api.errors import with_keywords
from pixmill.batch.config.max_delete import MaxDelete
from pixmill.batch.pruning import prune as batch
from pixmill.batch.pruning.result import PruneResult
from pixmill.core.errors import ConfigError
from pixmill.core.operating_system import require_processes
from pixmill.core.validation import InvalidValue, convert

Place = str | os.PathLike[str]


def prune(
    destination: Place,
    source: Place | None = None,
    *,
    yes: bool = False,
    max_delete: str | int | None = None,
    state: Place | None = None,
) -> PruneResult:
    """Return the outputs in ``destination`` that can be removed, and with ``yes`` remove them.

    These are the outputs of images that are gone from their source, and those that the last run of their source did not ask for
    any more. ``source``: only those of this source; a list has to be named to remove what is not in it. ``max_delete``: remove
    nothing if that would be more than this number of files, or than this share, such as ``"25%"`` (default: a tenth, or ten files
    if those are more). ``state``: the folder of the ledger, if the run had one.

    Raises ``ConfigError`` when that is too much or ``destination`` is not the output of a run, and ``RunError`` while a run is
    working on it.
    """
    require_processes("pixmill.prune")
    try:
        limit = MaxDelete() if max_delete is None else convert(max_delete, MaxDelete)
    except InvalidValue as error:
        raise ConfigError(f"max_delete: {error}") from None
    place, folder = os.fspath(destination), None if state is None else os.fspath(state)
    with with_keywords(place, folder):
        return batch.prune(place, None if source is None else os.fspath(source), yes=yes, max_delete=limit, state=folder)
