"""How an output is divided into shards: by hash, or at keys, which are stored with the output once and for all.

Every image has to be in exactly one shard, so shards that were divided in different ways must not be mixed.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.batch.state.location import FOLDER
from pixmill.core.errors import ConfigError, ReadError, WriteError
from pixmill.core.humanize import plural
from pixmill.storage.address import Address
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries

NAME = "shard-keys"
_MAX_BYTES = 64_000_000
_EXISTS = "exists"


def check_division(shard: Shard, output: Address, state: Path) -> None:
    """Store the keys at which the shards of ``output`` begin, if ``shard`` is the first of them to run.

    ``ConfigError`` if the output is divided in another way.

    ``state`` is the folder of the shard, which has no ledger yet if it is new. The caller holds its lock.
    """
    division = _Division(output, state.parent)
    stored = division.read()
    if stored is None and not shard.keys:
        return
    others = division.shards_with_ledgers(state.parent) if stored is None else []
    if others:
        stored = division.read()  # another shard may have been first meanwhile
        if stored is None:
            raise _otherwise(f"by the hash of their names (shard {others[0]})", "leave out --shard-at")
    claimed = stored or division.claim(shard.keys)
    if tuple(claimed) != shard.keys:
        how = "at other keys" if shard.keys else f"at {plural(len(claimed), 'key')}"
        raise _otherwise(how, f"give every shard the same: {_options(claimed)}")


class _Division:
    """The file with the keys: in the state folder ``base`` if ``output`` is local, else beside the states in the store."""

    def __init__(self, output: Address, base: Path) -> None:
        self._base = base if output.local else None
        self._storage = open_with_retries(Address.parse(base) if output.local else output, policy=OutagePolicy())
        self._path = NAME.encode() if output.local else f"{FOLDER}/{NAME}".encode()

    def shards_with_ledgers(self, state: Path) -> list[Shard]:
        """Return the shards whose ledgers are in the folder ``state`` of this machine or beside an output in a store."""
        found = [each.shard for each in find_ledger_files(state) if each.shard.count > 1]
        for listing in () if self._base is not None else self._storage.list(FOLDER.encode()):
            for entry in listing:
                _, folder, *rest = entry.path.decode(errors="replace").split("/")
                shard = Shard.of_folder(folder)
                if shard and rest != ["lease"]:  # which a shard that begins has, too
                    found.append(shard)
        return found

    def read(self) -> list[str] | None:
        """Return the stored keys; ``None`` if there are none."""
        try:
            if self._base is not None:
                content = state_folder.read(self._base, NAME)
            else:
                content = self._storage.read(self._path, limit=_MAX_BYTES)
        except FileNotFoundError:
            return None
        except ReadError as error:
            if error.code == "read-vanished":
                return None
            raise
        return msgspec.json.decode(content, type=list[str])

    def claim(self, keys: Sequence[str]) -> Sequence[str]:
        """Store ``keys`` unless there are some; return those that are there now."""
        try:
            self._storage.write(self._path, msgspec.json.encode(list(keys)), durable=True)
        except WriteError as error:
            if error.code != _EXISTS:
                raise
            return self.read() or keys
        return keys


def _options(keys: Sequence[str]) -> str:
    shown = " ".join(f"--shard-at '{key}'" for key in keys[:3])
    return f"--shard N/{len(keys) + 1} {shown}" + (" ..." if len(keys) > 3 else "")  # noqa: PLR2004  # as many as are shown


def _otherwise(how: str, hint: str) -> ConfigError:
    return ConfigError(f"the images of this output are divided into shards {how}", hint=f"{hint}; or choose another DST")
