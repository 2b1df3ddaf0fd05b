"""Outputs as files, for those who can only open files: a few are copied out of their shards for as long as they are needed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pixmill.batch.datasets.contents import Outputs
from pixmill.batch.datasets.dataset import dataset_at, with_former_packing
from pixmill.batch.datasets.open import open_outputs
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.core.errors import PixmillError
from pixmill.core.temporary_folder import temporary_folder
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


@contextmanager
def as_files(destination: str, *, former: str, held: Sequence[LedgerFile], names: Iterable[bytes], largest: int) -> Iterator[str]:
    """Give the URL of a place where the outputs called ``names`` in ``destination`` can be opened.

    That is ``destination`` itself, or for a dataset a temporary folder. ``former`` and ``held`` are those of ``open_outputs``;
    what cannot be read, or has more than ``largest`` bytes, is left out.
    """
    asked = Address.parse(with_former_packing(destination, former))
    if dataset_at(asked) is None:
        yield asked.url
        return
    with temporary_folder() as folder:
        with open_outputs(destination, former=former, held=held) as outputs:
            _copy(outputs, names, Path(folder), largest)
        yield Address.parse(folder).url


def _copy(outputs: Outputs, names: Iterable[bytes], folder: Path, largest: int) -> None:
    files = open_storage(folder)
    for name in names:
        with suppress(PixmillError):
            files.write(name, outputs.read(name, limit=largest), durable=False)
