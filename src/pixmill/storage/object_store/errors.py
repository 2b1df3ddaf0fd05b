"""Translate errors of an object store into errors of pixmill: for one object, or for the whole run.

obstore's messages contain the store's response and the complete URL, including signatures. Only three parts of them are passed
on: the status code, the store's one-word code, and the kind of a broken connection.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pixmill.core.errors import PixmillError, ReadError, RunError, WriteError
from pixmill.core.text import printable
from pixmill.storage.entry import changed
from pixmill.storage.retry.policy import UNANSWERED, UNREACHABLE

#: makes an error about a path in the store at an address of what obstore has raised
Translation = Callable[[Exception, bytes, str], PixmillError]

THROTTLED = frozenset({429, 503})
_OVERLOADED = frozenset({"SlowDown", "ServerBusy", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests"})
_STATUS = re.compile(r"- Server returned [a-z0-9 -]*status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
# what obstore, and Python, say of a certificate
_CERTIFICATE = re.compile(r"InvalidCertificate\(\s*([A-Za-z]{1,40})|certificate: ([a-z ()-]{1,60})")
_KIND = re.compile(r"kind: (Connect|Request|Timeout|Interrupted|Decode|Body)\b")
_UNANSWERED = frozenset({408, 500, 502, 504})
_CONFLICT = 409
_FULL = 507
_CHANGED = 412
_NO_CREDENTIALS = 401
_REFUSED = frozenset({_NO_CREDENTIALS, 403})
_CHECK_CREDENTIALS = (
    "check the address, the credentials and their permissions, then run the same command again: it continues where it stopped"
)
_CHECK_CERTIFICATE = (
    "if it is the right store, set AWS_CA_BUNDLE or SSL_CERT_FILE to the file with the certificate of its authority"
)
_FREE_SPACE = "free some space, then run the same command again: it continues where it stopped"
# errors of the account or the bucket, independent of the object
_STORE_CODES = frozenset({
    "AccountProblem", "AllAccessDisabled", "AuthenticationFailed", "AuthorizationHeaderMalformed", "ContainerNotFound",
    "ExpiredToken", "InvalidAccessKeyId", "InvalidBucketName", "InvalidToken", "NoSuchBucket", "PermanentRedirect",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired",
})  # fmt: skip


class StoreError(msgspec.Struct, frozen=True):
    """A store's response: ``status`` (0: none), one-word ``code``, and ``kind`` of the failure if there was no response."""

    status: int = 0
    code: str = ""
    kind: str = ""
    certificate: str = ""

    @classmethod
    def of(cls, error: Exception) -> "StoreError":
        """Parse the text of obstore's ``error``."""
        text = str(error)
        status, code, kind = _STATUS.search(text), _CODE.search(text), _KIND.search(text)
        certificate = None if status else _CERTIFICATE.search(text)
        objection = (certificate[1] or certificate[2]).strip() if certificate else ""
        return cls(int(status[1]) if status else 0, code[1] if code else "", kind[1] if kind else "", objection)

    @property
    def is_throttled(self) -> bool:
        """Tell whether the store is throttling requests."""
        return self.status in THROTTLED or self.code in _OVERLOADED

    @property
    def health(self) -> str:
        """Return the code for a store that is sick, as far as this response tells: ``throttled``, ..., or empty."""
        if self.certificate:
            return ""
        if self.is_throttled:
            return "throttled"
        if not self.status and self.kind == "Connect":
            return UNREACHABLE
        return UNANSWERED if self.status in _UNANSWERED or (not self.status and self.kind) else ""

    @property
    def is_about_the_store(self) -> bool:
        """Tell whether every other request would fail in the same way."""
        return self.code in _STORE_CODES or bool(self.certificate)

    @property
    def is_transient(self) -> bool:
        """Tell whether the same request may succeed later."""
        return bool(self.health) or self.status == _CONFLICT

    @property
    def hint(self) -> str:
        """Return what to do about an error of the whole store."""
        return _CHECK_CERTIFICATE if self.certificate else _CHECK_CREDENTIALS

    def __str__(self) -> str:
        """Return a description for messages."""
        if self.status:
            return f"the store returned {self.status}" + (f" ({self.code})" if self.code else "")
        if self.certificate:
            return f"its certificate is not accepted ({self.certificate})"
        return f"the connection failed ({self.kind.lower()})" if self.kind else "the store sent an invalid response"


def read_error(error: Exception, path: bytes, address: str) -> PixmillError:
    """Return the error for reading ``path`` from the store at ``address``: a ``RunError`` if no read can succeed."""
    response = StoreError.of(error)
    if response.status == _CHANGED:
        return changed(path)
    if isinstance(error, FileNotFoundError) and not response.is_about_the_store:
        return ReadError(f"{printable(path)} does not exist in {address}", code="read-vanished")
    if response.is_about_the_store:
        return RunError(f"{address} cannot be read: {response}", code="not-readable", hint=response.hint)
    code = "read-denied" if response.status in _REFUSED else response.health
    return ReadError(f"{printable(path)} could not be read: {response}", code=code, retryable=response.is_transient)


def write_error(error: Exception, path: bytes, address: str) -> PixmillError:
    """Return the error for writing ``path`` to the store at ``address``: a ``RunError`` if no write can succeed."""
    response = StoreError.of(error)
    if response.status == _FULL:
        return RunError(f"there is no space left in {address}: {response}", code="disk-full", hint=_FREE_SPACE)
    if response.is_about_the_store or response.status == _NO_CREDENTIALS or isinstance(error, FileNotFoundError):
        return RunError(f"{address} cannot be written to: {response}", code="not-writable", hint=response.hint)
    message = f"{printable(path)} could not be written: {response}"
    if response.status in _REFUSED:  # the lock of the output could be written: it is this part of it
        return WriteError(message, code="write-denied", hint=_CHECK_CREDENTIALS)
    return WriteError(message, code=response.health, retryable=response.is_transient)


def odd_key(key: str, objection: str) -> ReadError:
    """Return the error for the object ``key``, which has this ``objection``."""
    return ReadError(f"the key {printable(key)!r} {objection}, so it is not a path", code="read-key", hint="rename the object")


def list_error(error: Exception, path: bytes, address: str) -> PixmillError:
    """Return the error for listing ``path`` in the store at ``address``: a ``RunError`` if it refuses all listings."""
    response = StoreError.of(error)
    if response.is_about_the_store or response.status == _NO_CREDENTIALS or (response.status in _REFUSED and not path):
        return RunError(f"{address} cannot be listed: {response}", code="not-readable", hint=response.hint)
    shown = printable(path) or address
    if not (response.status or response.kind):  # a key that is not a valid path: obstore cannot list anything beside it
        return ReadError(f"{shown} could not be listed: it may contain a key with an empty part, '.' or '..'")
    if response.status in _REFUSED:
        return ReadError(f"{shown} could not be listed: {response}", code="read-denied")
    return ReadError(f"{shown} could not be listed: {response}", code=response.health, retryable=response.is_transient)


@contextmanager
def translating(translate: Translation, path: bytes, address: str) -> Iterator[None]:
    """Raise what ``translate`` makes of an error about ``path`` in the store at ``address``, unless it is one of pixmill."""
    try:
        yield
    except PixmillError:
        raise
    except Exception as error:  # noqa: BLE001  # obstore raises its own exceptions, and several of Python's
        raise translate(error, path, address) from None
