"""A fixture for tests of datasets: finished images without any processing, sealed in the same way as by a run."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from random import Random

import msgspec

from pixmill.batch.datasets.catalogue import CATALOGUE_FILE, Catalogue
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.open import open_contents
from pixmill.batch.datasets.sealing.sealing import Sealing
from pixmill.batch.datasets.shard_layout import Bounds, Layout
from pixmill.batch.datasets.shard_store import open_shard_store
from pixmill.batch.item import ImageResult, OutputRecord, pack, unpack
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.engine.clock import SystemClock
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.task import Attempt, Done, State, Task
from pixmill.imaging.traits.traits import Traits
from pixmill.storage.address import Address

#: an image's name below SRC without its extension, and the number from which its bytes are generated
Images = Mapping[str, int]


def content(number: int) -> bytes:
    """Return the bytes of the finished image with this ``number``: about 2 kB of noise."""
    return Random(number).randbytes(2000 + number % 500)


class DatasetFixture:
    """The dataset in ``folder``, with shards of three samples by default."""

    def __init__(self, folder: Path, packing: str = "tar", *, samples: int = 3) -> None:
        """Create the folder if it does not exist."""
        self.folder = folder
        self.dataset = Dataset(packing, Address.parse(folder))
        self.state = self.dataset.work_folder
        self.bounds = Bounds(samples=samples)
        self.dataset.parts.mkdir(parents=True, exist_ok=True)

    def finish(self, images: Images, *, ending: str = "png", suffix: str = ".jpg") -> None:
        """Finish ``images`` as workers do: write parts named ``NAME`` plus ``suffix``, and record ``NAME.ENDING`` in the ledger."""
        ends = []
        for name, number in images.items():
            data = content(number)
            part = self.dataset.parts / f"{name}{suffix}"
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            written = OutputRecord(
                os.fsencode(f"{name}{suffix}"), len(data), 40, 30, "jpeg", blake2b(data, digest_size=16).digest()
            )
            if number % 4:  # the others were made by an earlier version
                traits = Traits("3OcRJYB4d3h/iIeHeEh3eIhw+j2w", "#402010", "0123456789abcdef", "2024-05-17T10:11:12")
                written = msgspec.structs.replace(written, traits=traits)
            task = Task.of(f"{name}.{ending}", version=b"%d" % number)
            ends.append(Done(task=task, result=pack(ImageResult((written,)))))
        with self.ledger() as ledger:
            ledger.get_or_add([end.task for end in ends])
            ledger.start_attempts([Attempt(end.task) for end in ends])
            ledger.record_outcomes(ends)

    def forget(self, *names: str) -> None:
        """Reset finished images in the ledger."""
        with self.ledger() as ledger:
            ledger.reset([os.fsencode(f"{name}.png") for name in names])

    @contextmanager
    def ledger(self) -> Iterator[SqliteLedger]:
        """Open the ledger."""
        ledger = SqliteLedger(self.state / LEDGER)
        try:
            yield ledger
        finally:
            ledger.close()

    def seal(self, should_continue: Callable[[], bool] = lambda: True, *, replaces: bool = False) -> bool:
        """Seal, as a run does at its end; with ``replaces``, as one with ``--existing replace``."""
        with ExitStack() as stack:
            ledger = stack.enter_context(self.ledger())
            catalogue = Catalogue(self.state / CATALOGUE_FILE)
            stack.callback(catalogue.close)
            publisher, store = EventPublisher([], SystemClock()), open_shard_store(self.dataset.home)
            sealing = Sealing(
                self.dataset,
                store,
                ledger=ledger,
                catalogue=catalogue,
                layout=Layout(bounds=self.bounds),
                publisher=publisher,
                replaces=replaces,
            )
            stack.callback(sealing.close)
            return sealing.seal(should_continue)

    def files(self) -> dict[str, bytes]:
        """Return the contents of the visible files in the folder, by name."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def left_over(self) -> list[Path]:
        """Return the files that should be gone when everything is sealed: parts and staged shards."""
        folders = (self.dataset.parts, self.dataset.staging)
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def missing(self) -> list[bytes]:
        """Return the outputs that the ledger records as done but whose bytes are wrong; reading raises if one is missing."""
        with self.ledger() as ledger, open_contents(self.dataset, self.state) as contents:
            done = [unpack(record.result).outputs[0] for record in ledger.records(State.DONE)]
            return [
                each.name
                for each in done
                if blake2b(contents.read(each.name, limit=each.size), digest_size=16).digest() != each.digest
            ]


if __name__ == "__main__":  # the process that tests of sealing kill; arguments: FOLDER PACKING
    DatasetFixture(Path(sys.argv[1]), sys.argv[2]).seal()
