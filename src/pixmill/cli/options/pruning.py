"""The options that remove outputs."""

from typing import Annotated

from msgspec import Meta

from pixmill.batch.config.max_delete import MaxDelete
from pixmill.core.model import Model


class Removing(Model, frozen=True, kw_only=True):
    """How much may be removed."""

    max_delete: Annotated[
        MaxDelete,
        Meta(
            description="remove nothing if that would be more than this many files, or than this share of the recorded outputs "
            "(default: 10%, or 10 files if those are more)",
            extra={"value": "N|P%"},
        ),
    ] = MaxDelete()  # immutable


class Mirroring(Removing, frozen=True, kw_only=True):
    """Whether a run removes outputs."""

    mirror: Annotated[
        bool,
        Meta(description="once the run has finished, remove the outputs of images that are gone from SRC, like pixmill prune"),
    ] = False


class Pruning(Removing, frozen=True, kw_only=True):
    """Whether to remove what is listed."""

    yes: Annotated[bool, Meta(description="remove the outputs that are listed", extra={"letter": "y"})] = False
