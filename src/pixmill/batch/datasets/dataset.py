"""``Dataset``: the folder of shards that an address such as ``tar://FOLDER`` names, and where everything is in it."""

import os
import re
from pathlib import Path

import msgspec

from pixmill.batch.datasets.packing import Packing, packings
from pixmill.batch.shard import Shard
from pixmill.batch.statehome import FOLDER
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address

SAMPLES_INDEX = "index.jsonl"
SHARDS_INDEX = "shards.json"
WHOLE = Shard()


class Dataset(msgspec.Struct, frozen=True):
    """Shards of ``packing`` in ``folder``. ``tag`` tells the part of a run, such as ``3of16``, and is empty for a whole one.

    Several parts of a run share the folder; each has shards, parts and an index of its own.
    """

    packing: str
    folder: Path
    tag: str = ""

    @property
    def packs(self) -> type[Packing]:
        """Return what makes the shards."""
        return packings().get(self.packing)

    @property
    def identity(self) -> str:
        """Return what, with the samples, decides the bytes of a shard."""
        return f"{self.packing} {self.packs.version}"

    @property
    def address(self) -> Address:
        """Return the folder as an address."""
        return Address.parse(self.folder)

    @property
    def parts(self) -> Path:
        """Return the folder of finished images that are in no shard yet."""
        return self.folder / FOLDER / self._own("parts")

    @property
    def staging(self) -> Path:
        """Return the folder of shards that are being written, or wait for others."""
        return self.folder / FOLDER / self._own("staging")

    def shard_name(self, number: int) -> str:
        """Return the name of the file of the shard with this ``number``, from 0."""
        return f"{self._prefix}{number:06}{self.packs.suffix}"

    def index(self, name: str) -> Path:
        """Return where the index called ``name`` is."""
        return self.folder / f"{self._prefix}{name}"

    def shard_files(self) -> list[str]:
        """Return the names of the files in the folder that are called as shards are, of any packing and of any part of a run."""
        suffixes = "|".join(re.escape(packing.suffix) for _, packing in packings())
        pattern = re.compile(rf"(?:[0-9]+of[0-9]+-)?[0-9]{{6,}}(?:{suffixes})")
        return sorted(path.name for path in self.folder.iterdir() if pattern.fullmatch(path.name))

    def is_anothers(self, name: str) -> bool:
        """Tell whether the file ``name`` belongs to another part of the same division of a run."""
        others = re.match(r"([0-9]+of([0-9]+))-", name)
        return bool(self.tag and others and others[1] != self.tag and others[2] == self.tag.partition("of")[2])

    @property
    def _prefix(self) -> str:
        return f"{self.tag}-" if self.tag else ""

    def _own(self, name: str) -> str:
        return f"{name}-{self.tag}" if self.tag else name


def dataset_at(address: Address, shard: Shard = WHOLE) -> Dataset | None:
    """Return the dataset that ``address`` names, as one part of a run makes it; ``None`` when it names none.

    ``AddressError`` when it names no folder.
    """
    if address.scheme not in packings().names():
        return None
    if not address.location:
        raise AddressError(f"expected a folder after {address.scheme}://", hint=f"such as {address.scheme}://out")
    folder = Address.parse(os.fsdecode(address.location)).local
    if folder is None:
        hint = "copy them from there when the run is over"
        raise AddressError(f"{address}: shards are written to a folder of this machine", hint=hint)
    return Dataset(address.scheme, folder, shard.tag if shard.count > 1 else "")


def as_before(destination: str, former: str) -> str:
    """Return how to name the folder ``destination`` so that it is what ``former``, the DST of a run, has made of it."""
    made, named = dataset_at(Address.parse(former)), dataset_at(Address.parse(destination))
    return f"{made.packing}://{destination}" if made and not named else destination


def home(address: Address) -> Address:
    """Return the folder that ``address`` leads to: that of a dataset for ``tar://FOLDER``, else what it names itself."""
    dataset = dataset_at(address)
    return dataset.address if dataset else address
