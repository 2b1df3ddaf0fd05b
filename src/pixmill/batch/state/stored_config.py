"""The configuration of a run as its ledger stores it."""

import json

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.prevention import all_preventable_codes, preventable_codes
from pixmill.core.errors import ConfigError
from pixmill.engine.ledger import RunRecord
from pixmill.storage.address import Address

STANDARD_INPUT = "-"


def stored_config(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger stores with a run."""
    builtins = config.to_builtins()
    source = Address.parse(config.source).local
    if source and config.source != STANDARD_INPUT:
        builtins["source"] = str(source.absolute())  # a retry may be started from another folder
    return json.dumps(builtins).encode()  # unlike msgspec, json supports paths that are not UTF-8


def config_of(run: RunRecord) -> RunConfig:
    """Return the configuration of ``run``, without importing any code: a ledger is data from an untrusted author."""
    try:
        return RunConfig.from_builtins(json.loads(run.metadata))
    except ValueError:
        raise ConfigError(
            "the configuration of the last run cannot be read", hint="repeat the original pixmill run command"
        ) from None


def codes_preventable_since(last: RunRecord, config: RunConfig) -> frozenset[str]:
    """Return the codes of the failures that options of ``config`` may prevent which have changed since the run ``last``."""
    if last.metadata == stored_config(config):
        return frozenset()
    try:
        return preventable_codes(config_of(last), config)
    except ConfigError:  # written by another version, or with a step that is no longer installed
        return all_preventable_codes()
