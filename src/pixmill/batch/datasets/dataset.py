"""``Dataset``: the shards that an address such as ``tar://FOLDER`` names, and where everything is in it."""

import os
import re
from pathlib import Path

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.datasets.packing import Packing, packings
from pixmill.batch.state.location import default_state
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address

SAMPLES_INDEX = "index.jsonl"
SHARDS_INDEX = "shards.json"
WHOLE = Shard()


class Dataset(msgspec.Struct, frozen=True):
    """Shards of ``packing`` at ``home``. ``tag`` tells the part of a run, such as ``3of16``, and is empty for a whole one.

    Several parts of a run share their home; each has shards, parts and an index of its own.
    """

    packing: str
    home: Address
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
    def work(self) -> Path:
        """Return the folder of this machine where shards are made."""
        return default_state(self.home)

    @property
    def parts(self) -> Path:
        """Return the folder of finished images that are in no shard yet."""
        return self.work / self._own("parts")

    @property
    def staging(self) -> Path:
        """Return the folder of shards that are being written, or wait for others."""
        return self.work / self._own("staging")

    def shard_name(self, number: int) -> str:
        """Return the name of the file of the shard with this ``number``, from 0."""
        return f"{self._prefix}{number:06}{self.packs.suffix}"

    def index_name(self, name: str) -> str:
        """Return what the index called ``name`` is called here."""
        return f"{self._prefix}{name}"

    def is_shard(self, name: str) -> bool:
        """Tell whether a file of this name is a shard, of any packing and of any part of a run."""
        suffixes = "|".join(re.escape(packing.suffix) for _, packing in packings())
        return re.fullmatch(rf"(?:[0-9]+of[0-9]+-)?[0-9]{{6,}}(?:{suffixes})", name) is not None

    def is_of_other_shard(self, name: str) -> bool:
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
    place = Address.parse(os.fsdecode(address.location))
    if place.scheme in packings().names():
        raise AddressError(f"{address}: expected a folder or a bucket after {address.scheme}://, received another dataset")
    return Dataset(address.scheme, place, shard.tag if shard.count > 1 else "")


def with_former_packing(destination: str, former: str) -> str:
    """Return how to name the folder ``destination`` so that it is what ``former``, the DST of a run, has made of it."""
    made, named = dataset_at(Address.parse(former)), dataset_at(Address.parse(destination))
    return f"{made.packing}://{destination}" if made and not named else destination


def home(address: Address) -> Address:
    """Return the place that ``address`` leads to: that of a dataset for ``tar://FOLDER``, else what it names itself."""
    dataset = dataset_at(address)
    return dataset.home if dataset else address
