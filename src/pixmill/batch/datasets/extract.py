"""Outputs as files, for code that can only open files: a few are copied out of their shards while they are needed."""

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
def as_files(
    destination: str, *, former: str, ledger_files: Sequence[LedgerFile], names: Iterable[bytes], max_bytes: int
) -> Iterator[str]:
    """Yield the URL of a location where the outputs called ``names`` in ``destination`` can be opened.

    This is ``destination`` itself or, for a dataset, a temporary folder. ``former`` and ``ledger_files`` are those of
    ``open_outputs``. Outputs that cannot be read or have more than ``max_bytes`` bytes are left out.
    """
    address = Address.parse(with_former_packing(destination, former))
    if dataset_at(address) is None:
        yield address.url
        return
    with temporary_folder() as folder:
        with open_outputs(destination, former=former, ledger_files=ledger_files) as outputs:
            _copy(outputs, names, Path(folder), max_bytes)
        yield Address.parse(folder).url


def _copy(outputs: Outputs, names: Iterable[bytes], folder: Path, max_bytes: int) -> None:
    files = open_storage(folder)
    for name in names:
        with suppress(PixmillError):
            files.write(name, outputs.read(name, limit=max_bytes), durable=False)
