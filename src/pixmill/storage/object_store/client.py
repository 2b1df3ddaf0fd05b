"""From an address to a bucket: what every scheme of an object store does before it asks for the first object."""

import importlib
import os
import re
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any, TypedDict, TypeVar

import msgspec

from pixmill.core.errors import AddressError, MissingExtra
from pixmill.storage.address import Address

Store = TypeVar("Store")

_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?/?")
_THREADS = "TOKIO_WORKER_THREADS"  # what the runtime inside obstore reads when it starts
# one request may take as long as a large part over a slow line; a silent connection is given up sooner
_CONNECT, _SILENCE, _REQUEST = timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=10)


class Bucket(msgspec.Struct, frozen=True):
    """An opened ``store``, whose ``library`` is obstore itself, and its ``place`` as people name it."""

    library: Any
    store: Any
    place: str


class ClientOptions(TypedDict):
    """How to talk to a store: obstore's own names."""

    allow_http: bool
    connect_timeout: timedelta
    read_timeout: timedelta
    timeout: timedelta


def import_obstore(extra: str, purpose: str) -> ModuleType:
    """Return the library; ``MissingExtra`` when it is not installed. Nothing imports it before an address asks for it."""
    os.environ.setdefault(_THREADS, "2")  # in each process; otherwise as many as there are cores, times six workers a core
    try:
        importlib.import_module("obstore.store")
        return importlib.import_module("obstore")
    except ImportError:
        raise MissingExtra(extra, purpose) from None


def bucket_and_prefix(address: Address) -> tuple[str, str]:
    """Return the bucket and the prefix that ``address`` names; ``AddressError`` when it names none, or holds a secret."""
    shape = f"expected {address.scheme}://BUCKET or {address.scheme}://BUCKET/PREFIX"
    bucket, _, prefix = address.location.partition(b"/")
    if b"@" in bucket or b":" in bucket:  # not repeated: what stands before an @ is a password
        raise AddressError(
            f"{shape}, received an address with a user name, a password or a port in it",
            hint="credentials come from the environment, the endpoint too: they are no part of an address",
        )
    try:
        name, below = bucket.decode(), prefix.rstrip(b"/").decode()
    except UnicodeDecodeError:
        raise AddressError(f"{shape}, received bytes that are not UTF-8") from None
    if not name or any(part in ("", ".", "..") for part in below.split("/") if below):
        raise AddressError(f"{shape}, received {address}")
    return name, below


def client_options(endpoint: str) -> ClientOptions:
    """Return how to talk to a store at ``endpoint``, if it has one: without encryption only where that itself says so.

    ``AddressError`` when it is not the URL of a host; it is not repeated.
    """
    if endpoint and _ENDPOINT.fullmatch(endpoint) is None:
        hint = "expected a URL such as https://store.example:9000"
        raise AddressError("the endpoint that the environment names for the store makes no sense", hint=hint)
    return ClientOptions(
        allow_http=endpoint.startswith("http://"), connect_timeout=_CONNECT, read_timeout=_SILENCE, timeout=_REQUEST
    )


def no_retries() -> dict[str, object]:
    """Return the settings that leave trying again to us, who can show it and slow down for it."""
    backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2}
    return {"max_retries": 0, "retry_timeout": timedelta(minutes=1), "backoff": backoff}


def open_store(make: Callable[[], Store], address: Address) -> Store:
    """Return the store that ``make`` makes; ``AddressError`` when its settings make no sense, without repeating any of them."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001  # its own, ValueError, TypeError: they repeat the settings
        message = f"{address} cannot be opened: {type(error).__name__} in the settings of its store"
        raise AddressError(message, hint="check the variables of the environment that configure it") from None
