"""What an error of an object store means: for one object, or for the whole run.

obstore's messages hold whatever the store answered and the whole URL, signatures included. Nothing of them is passed on but a
status code, the store's one-word code, and the kind of a broken connection.
"""

import re

import msgspec

from pixmill.core.errors import PixmillError, ReadError, RunError, WriteError
from pixmill.core.text import printable
from pixmill.storage.entry import changed

THROTTLED = frozenset({429, 503})
_OVERLOADED = frozenset({"SlowDown", "ServerBusy", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests"})
_STATUS = re.compile(r"- Server returned [a-z0-9 -]*status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_KIND = re.compile(r"kind: (Connect|Request|Timeout|Interrupted|Decode|Body)\b")
_TRANSIENT = frozenset({408, 409, 500, 502, 504})
_FULL = 507
_CHANGED = 412
_REFUSED = frozenset({401, 403})
_CREDENTIALS = (
    "check the address, the credentials and what they allow; then run the same command again: it goes on where it stopped"
)
_SAME_COMMAND = "make room and run the same command again: it goes on where it stopped"
# the account or the bucket, whatever the object
_NOT_ABOUT_THE_OBJECT = frozenset({
    "AccountProblem", "AllAccessDisabled", "AuthenticationFailed", "AuthorizationHeaderMalformed", "ContainerNotFound",
    "ExpiredToken", "InvalidAccessKeyId", "InvalidBucketName", "InvalidToken", "NoSuchBucket", "PermanentRedirect",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired",
})  # fmt: skip


class StoreError(msgspec.Struct, frozen=True):
    """What a store answered: its ``status`` (0 for none), its one-word ``code``, the ``kind`` of what broke before an answer."""

    status: int = 0
    code: str = ""
    kind: str = ""

    @classmethod
    def of(cls, error: Exception) -> "StoreError":
        """Read it from the text of obstore's ``error``."""
        text = str(error)
        status, code, kind = _STATUS.search(text), _CODE.search(text), _KIND.search(text)
        return cls(int(status[1]) if status else 0, code[1] if code else "", kind[1] if kind else "")

    @property
    def is_throttled(self) -> bool:
        """Tell whether the store asks for fewer requests."""
        return self.status in THROTTLED or self.code in _OVERLOADED

    @property
    def is_about_the_store(self) -> bool:
        """Tell whether every other request would be answered in the same way."""
        return self.code in _NOT_ABOUT_THE_OBJECT

    @property
    def is_transient(self) -> bool:
        """Tell whether the same request may succeed later."""
        return self.is_throttled or self.status in _TRANSIENT or (not self.status and bool(self.kind))

    def __str__(self) -> str:
        """Return it in words."""
        if self.status:
            return f"the store answered {self.status}" + (f" ({self.code})" if self.code else "")
        return f"the connection failed ({self.kind.lower()})" if self.kind else "the store gave no answer that makes sense"


def read_error(error: Exception, path: bytes, place: str) -> PixmillError:
    """Return what ``error`` means for reading ``path`` from ``place``: a ``RunError`` when no read can go on."""
    answer = StoreError.of(error)
    if answer.status == _CHANGED:
        return changed(path)
    if isinstance(error, FileNotFoundError) and not answer.is_about_the_store:
        return ReadError(f"{printable(path)} is not there", code="read-vanished")
    if answer.is_about_the_store:
        return RunError(f"{place} cannot be read: {answer}", code="not-readable", hint=_CREDENTIALS)
    code = "throttled" if answer.is_throttled else "read-denied" if answer.status in _REFUSED else ""
    return ReadError(f"{printable(path)} could not be read: {answer}", code=code, retryable=answer.is_transient)


def write_error(error: Exception, path: bytes, place: str) -> PixmillError:
    """Return what ``error`` means for writing ``path`` to ``place``: a ``RunError`` when no write can go on."""
    answer = StoreError.of(error)
    if answer.status == _FULL:
        return RunError(f"there is no space left in {place}: {answer}", code="disk-full", hint=_SAME_COMMAND)
    if answer.is_about_the_store or answer.status in _REFUSED or isinstance(error, FileNotFoundError):
        return RunError(f"{place} cannot be written to: {answer}", code="not-writable", hint=_CREDENTIALS)
    code = "throttled" if answer.is_throttled else ""
    return WriteError(f"{printable(path)} could not be written: {answer}", code=code, retryable=answer.is_transient)


def list_error(error: Exception, path: bytes, place: str) -> PixmillError:
    """Return what ``error`` means for listing ``path`` in ``place``."""
    answer = StoreError.of(error)
    if answer.is_about_the_store or answer.status in _REFUSED:
        return RunError(f"{place} cannot be listed: {answer}", code="not-readable", hint=_CREDENTIALS)
    shown = printable(path) or place
    if not (answer.status or answer.kind):  # a key that is no path: obstore can list nothing beside it
        return ReadError(f"{shown} could not be listed: it may hold a key with an empty part, '.' or '..'")
    code = "throttled" if answer.is_throttled else ""
    return ReadError(f"{shown} could not be listed: {answer}", code=code, retryable=answer.is_transient)
