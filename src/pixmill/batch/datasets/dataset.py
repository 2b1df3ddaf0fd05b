"""``Dataset``: the shards that an address such as ``tar://FOLDER`` names, and the names of its files and folders."""

import os
import re
from collections.abc import Iterable
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
    """Shards of ``packing`` at ``home``. ``tag`` names the shard of a run, such as ``3of16``; it is empty for a run without shards.

    Several shards of a run share their home; each has its own dataset shards, parts and index.
    """

    packing: str
    home: Address
    tag: str = ""

    @property
    def packing_class(self) -> type[Packing]:
        """Return the packing that writes the shards."""
        return packings().get(self.packing)

    @property
    def identity(self) -> str:
        """Return the name and version of the packing: with the samples, they determine the bytes of a shard."""
        return f"{self.packing} {self.packing_class.version}"

    @property
    def work_folder(self) -> Path:
        """Return the folder on this machine where shards are built."""
        return default_state(self.home)

    @property
    def parts(self) -> Path:
        """Return the folder of finished images that are not in a shard yet."""
        return self.work_folder / self._own("parts")

    @property
    def staging(self) -> Path:
        """Return the folder of shards that are being written or wait for a switch."""
        return self.work_folder / self._own("staging")

    def shard_name(self, number: int, split: str = "") -> str:
        """Return the file name of the shard with this ``number``, counting from 0; each split has its own numbers."""
        return f"{split}-{self.shard_name(number)}" if split else f"{self._prefix}{number:06}{self.packing_class.suffix}"

    def index_name(self, name: str) -> str:
        """Return the file name of the index ``name`` in this dataset.

        It begins with ``_``, so that programs that read a folder of Parquet or tar files skip it.
        """
        return f"_{self._prefix}{name}"

    def former_index_name(self, name: str) -> str:
        """Return the file name that earlier versions gave the index ``name``."""
        return f"{self._prefix}{name}"

    def is_shard(self, name: str, splits: Iterable[str] = ()) -> bool:
        """Return whether ``name`` is the file name of a shard, of any packing, of any shard of a run, and of any of ``splits``."""
        suffixes = "|".join(re.escape(packing.suffix) for _, packing in packings())
        parts = "|".join(map(re.escape, splits))
        return re.fullmatch(rf"(?:(?:{parts})-)?(?:[0-9]+of[0-9]+-)?[0-9]{{6,}}(?:{suffixes})", name) is not None

    def is_of_other_shard(self, name: str) -> bool:
        """Return whether the file ``name`` belongs to another shard of a run that is split in the same way."""
        others = re.match(r"(?:[A-Za-z][A-Za-z0-9_]*-)?([0-9]+of([0-9]+))-", name)
        return bool(self.tag and others and others[1] != self.tag and others[2] == self.tag.partition("of")[2])

    @property
    def _prefix(self) -> str:
        return f"{self.tag}-" if self.tag else ""

    def _own(self, name: str) -> str:
        return f"{name}-{self.tag}" if self.tag else name


def dataset_at(address: Address, shard: Shard = WHOLE) -> Dataset | None:
    """Return the dataset that ``address`` names, as ``shard`` of a run writes it; ``None`` if the address names no dataset.

    ``AddressError`` if it names no folder.
    """
    if address.scheme not in packings().names():
        return None
    if not address.location:
        raise AddressError(f"expected a folder after {address.scheme}://", hint=f"such as {address.scheme}://out")
    inner = Address.parse(os.fsdecode(address.location))
    if inner.scheme in packings().names():
        raise AddressError(f"{address}: expected a folder or a bucket after {address.scheme}://, received another dataset")
    return Dataset(address.scheme, inner, shard.tag if shard.count > 1 else "")


def with_former_packing(destination: str, former: str) -> str:
    """Return the address of the folder ``destination`` in the packing that ``former``, the DST of a run, used for it."""
    former_dataset, named_dataset = dataset_at(Address.parse(former)), dataset_at(Address.parse(destination))
    return f"{former_dataset.packing}://{destination}" if former_dataset and not named_dataset else destination


def home(address: Address) -> Address:
    """Return the folder or bucket of the dataset that ``address`` names, such as ``tar://FOLDER``; otherwise ``address`` itself."""
    dataset = dataset_at(address)
    return dataset.home if dataset else address
