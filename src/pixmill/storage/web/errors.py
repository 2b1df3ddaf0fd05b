"""Translate errors of web servers and connections into errors of pixmill."""

import email.utils
import http.client
import ssl
from contextlib import suppress

from pixmill.core.errors import ReadError
from pixmill.core.text import redacted
from pixmill.storage.web.url import Url

#: status codes by their meaning for a read
GONE = frozenset({404, 410})
DENIED = frozenset({401, 403, 407, 451})
TRANSIENT = frozenset({408, 425, 500, 502, 504})
_MAX_RETRY_AFTER = 600.0  # seconds; a server that requests a longer pause gets this one


def translate_error(error: BaseException, url: Url) -> ReadError | None:
    """Return the ``ReadError`` for an ``error`` while reading ``url``; ``None`` if it is one already, or is unrelated."""
    name = redacted(str(url))
    if isinstance(error, ssl.SSLCertVerificationError):
        return ReadError(
            f"{name} could not be read: the server's certificate is not valid ({error.verify_message})", code="read-host"
        )
    if isinstance(error, TimeoutError):
        return ReadError(f"{name} could not be read: the server sent nothing for too long", code="read-stalled", retryable=True)
    if isinstance(error, http.client.IncompleteRead):
        return ReadError(f"{name} could not be read: the connection closed too early", code="read-cut-off", retryable=True)
    if isinstance(error, OSError):
        return ReadError(f"{name} could not be read: {error.strerror or type(error).__name__}", retryable=True)
    if isinstance(error, http.client.HTTPException):
        return ReadError(f"{name} could not be read: the response is not valid HTTP", retryable=True)
    return None


def retry_after(value: str, now: float) -> float:
    """Return the pause in seconds that ``Retry-After``, a number or a date, requests; 0 if it is invalid."""
    if value.strip().isdigit():
        return min(float(value), _MAX_RETRY_AFTER)
    with suppress(ValueError, OverflowError):
        return min(max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now), _MAX_RETRY_AFTER)
    return 0.0
