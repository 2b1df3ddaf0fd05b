"""Columns that steps add to an image, such as a caption or a score: plain data for indexes and datasets."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

MAX_BYTES = 64_000  # of all columns of an image, as JSON: they are kept in the ledger


def plain_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``columns`` as JSON can hold them; numbers and arrays of NumPy become numbers and lists.

    ``ValueError`` if a value is none of these, or if there is too much.
    """
    plain = {name: _plain(name, value) for name, value in columns.items()}
    size = len(msgspec.json.encode(plain))
    if size > MAX_BYTES:
        raise ValueError(f"the columns take {size:,} bytes as JSON, expected at most {MAX_BYTES:,}")
    return plain


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401  # any value of a user's
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"column {name}: expected a finite number, received {value}")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(name, each) for each in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(name, each) for key, each in value.items()}
    raise ValueError(f"column {name}: expected text, a number, a list or a table, received {type(value).__name__}")
