"""Write the report of an output to a file."""

import time
from collections.abc import Collection
from pathlib import Path

from pixmill.batch.config.foreign_code import Code
from pixmill.batch.inspect.status import find_state_folder, open_ledgers
from pixmill.batch.outputs.named_files import check_again
from pixmill.batch.report.html.page import page
from pixmill.batch.report.report_data import collect
from pixmill.batch.state.location import REPORT
from pixmill.engine.observability.files import atomic_text_file, run_error_if_unwritable


def write_report(
    destination: str,
    *,
    state: str | None = None,
    path: Path | None = None,
    check: int = 0,
    allowed: Collection[Code] = (),
    now: float | None = None,
) -> Path:
    """Write the report of ``destination`` atomically and return its path: ``path``, or a file in the state folder.

    ``check`` is the number of images sampled for similarity. Measuring it runs the recipe of the last run, so none is measured
    if the recipe has foreign code that is not among ``allowed``. A run may be in progress. ``AddressError`` if there has been
    no run, ``RunError`` if the file cannot be written.
    """
    folder = find_state_folder(destination, state)
    with open_ledgers(destination, state) as ledger:
        made_at = time.time() if now is None else now
        data = collect(
            ledger,
            destination=destination,
            state=state,
            check=check,
            allowed=allowed,
            now=made_at,
        )
    target = path or folder / REPORT
    if path is not None:
        check_again("the report", path, "report")
    with run_error_if_unwritable(target), atomic_text_file(target) as file:
        file.write(page(data))
    return target
