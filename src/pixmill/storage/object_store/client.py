"""Open the bucket of an address: the steps that all object stores share before the first request."""

import importlib
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict, TypeVar

import msgspec

from pixmill.core.errors import AddressError, MissingExtra, PixmillError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.object_store.key_listing import KeyListing

Store = TypeVar("Store")

_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?/?")
_CERTIFICATE_FILES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")
_THREADS = "TOKIO_WORKER_THREADS"  # read by the runtime inside obstore when it starts
# a request may take as long as a large part over a slow connection; a connection without data times out sooner
_CONNECT_TIMEOUT, _READ_TIMEOUT, _REQUEST_TIMEOUT = timedelta(seconds=10), timedelta(seconds=20), timedelta(minutes=10)


class Bucket(msgspec.Struct, frozen=True):
    """An opened ``store``, its ``library``, obstore, and its ``address`` for messages.

    ``keys`` lists the keys as they are, for a store that can be asked directly.
    """

    library: Any
    store: Any
    address: str
    keys: KeyListing | None = None


class ClientOptions(TypedDict, total=False):
    """Options for the connection to a store, with obstore's names."""

    allow_http: bool
    connect_timeout: timedelta
    read_timeout: timedelta
    timeout: timedelta
    root_certificate: bytes


def import_obstore(extra: str, purpose: str) -> ModuleType:
    """Return obstore; ``MissingExtra`` if it is not installed. It is imported only when an address needs it."""
    os.environ.setdefault(_THREADS, "2")  # per process; the default is one per core, times six workers per core
    try:
        importlib.import_module("obstore.store")
        return importlib.import_module("obstore")
    except ImportError:
        raise MissingExtra(extra, purpose) from None


def bucket_and_prefix(address: Address) -> tuple[str, str]:
    """Return the bucket and the prefix of ``address``; ``AddressError`` if it names no bucket, or contains a secret."""
    shape = f"expected {address.scheme}://BUCKET or {address.scheme}://BUCKET/PREFIX"
    bucket, _, prefix = address.location.partition(b"/")
    if b"@" in bucket or b":" in bucket:  # not quoted: the text before an @ may be a password
        raise AddressError(
            f"{shape}, received an address that contains a user name, a password or a port",
            hint="set credentials and endpoint in the environment; they cannot be part of an address",
        )
    try:
        name, below = bucket.decode(), prefix.rstrip(b"/").decode()
    except UnicodeDecodeError:
        raise AddressError(f"{shape}, received bytes that are not UTF-8") from None
    if not name or any(part in ("", ".", "..") for part in below.split("/") if below):
        raise AddressError(f"{shape}, received {address}")
    return name, below


def client_options(endpoint: str) -> ClientOptions:
    """Return the options for a store at ``endpoint``, if it has one: unencrypted only if that is an ``http://`` URL.

    ``AddressError`` if it is not the URL of a host; the message does not quote it.
    """
    if endpoint and _ENDPOINT.fullmatch(endpoint) is None:
        hint = "set it to a URL such as https://store.example:9000"
        raise AddressError("the endpoint that the environment sets for the store is not a valid URL", hint=hint)
    options = ClientOptions(
        allow_http=endpoint.startswith("http://"),
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        timeout=_REQUEST_TIMEOUT,
    )
    if file := certificate_file():
        try:
            options["root_certificate"] = Path(file).read_bytes()
        except OSError as error:
            message = f"the file of certificates {printable(file)} cannot be read: {error.strerror}"
            raise AddressError(message, hint=f"{' and '.join(_CERTIFICATE_FILES)} name it") from None
    return options


def certificate_file() -> str:
    """Return the file with the certificates of further authorities, as the AWS tools or OpenSSL name it; empty without one."""
    return next(filter(None, map(os.environ.get, _CERTIFICATE_FILES)), "")


def no_retries() -> dict[str, object]:
    """Return the settings that turn off obstore's retries: pixmill does them, so that it can report them and slow down."""
    backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2}
    return {"max_retries": 0, "retry_timeout": timedelta(minutes=1), "backoff": backoff}


def open_store(make: Callable[[], Store], address: Address) -> Store:
    """Return the store that ``make`` creates; ``AddressError`` if its settings are invalid, without quoting any of them."""
    try:
        return make()
    except PixmillError:
        raise
    except Exception as error:  # noqa: BLE001  # obstore's own, ValueError, TypeError: their messages quote the settings
        message = f"{address} cannot be opened: {type(error).__name__} in the settings of its store"
        raise AddressError(message, hint="check the environment variables that configure the store") from None
