"""The configuration of a run as its ledger stores it."""

import json
import os
from collections.abc import Sequence

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.prevention import all_preventable_codes, preventable_codes
from pixmill.core.errors import ConfigError
from pixmill.engine.ledger import RunRecord
from pixmill.storage.address import Address

STANDARD_INPUT = "-"
_SHARDS = ("tar", "parquet")  # in a folder of this machine, or a file


def stored_config(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger stores with a run."""
    builtins = config.to_builtins()
    del builtins["policy"]["max_failures"]  # a new limit changes no outcome, and a retry must not inherit the old one
    if isinstance(config.source, tuple):
        builtins["source"] = [_absolute(source) for source in config.source]
    elif config.source != STANDARD_INPUT:
        source = Address.parse(config.source)
        builtins["source"] = str(source.local.absolute()) if source.local else _absolute(config.source)  # for a retry
    return json.dumps(builtins).encode()  # unlike msgspec, json supports paths that are not UTF-8


def config_of(run: RunRecord) -> RunConfig:
    """Return the configuration of ``run``, without importing any code: a ledger is data from an untrusted author."""
    try:
        return RunConfig.from_builtins(json.loads(run.metadata))
    except ValueError:
        raise ConfigError(
            "the configuration of the last run cannot be read", hint="repeat the original pixmill run command"
        ) from None


def codes_preventable_since(runs: Sequence[RunRecord], config: RunConfig) -> frozenset[str]:
    """Return the codes of the failures that options of ``config`` may prevent which have changed since the last run of its source.

    ``runs`` are all runs of the output, oldest first. The options of the last run are the right ones to compare with: each
    failure was recorded under them, or remained under them because none that might prevent it had changed.
    """
    if not runs:
        return frozenset()
    metadata = stored_config(config)
    source = json.loads(metadata)["source"]
    last = next((run for run in reversed(runs) if _source_of(run) == source), runs[-1])
    if last.metadata == metadata:
        return frozenset()
    try:
        return preventable_codes(config_of(last), config)
    except ConfigError:  # written by another version, or with a step that is no longer installed
        return all_preventable_codes()


def _source_of(run: RunRecord) -> object:
    try:
        return json.loads(run.metadata).get("source")
    except (ValueError, AttributeError):
        return None


def _absolute(source: str) -> str:
    """Return one of several sources as an address that does not depend on the current folder; ``A/.`` does not become ``A``."""
    address = Address.parse(source)
    if not address.local and address.scheme not in _SHARDS:
        return source
    path = os.path.join(os.getcwd(), os.fsdecode(address.location))  # noqa: PTH109, PTH118  # a Path drops the dot
    return path if address.local else f"{address.scheme}://{path}"
