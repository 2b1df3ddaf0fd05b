"""What an answer or an error of a web server means."""

import email.utils
import http.client
import ssl
from contextlib import suppress

from pixmill.core.errors import ReadError
from pixmill.storage.web.url import Url, redacted

_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 403, 407, 451})
_PASSING = frozenset({408, 425, 500, 502, 504})
_LONGEST_PAUSE = 600.0  # seconds; nobody is waited for longer, whatever is asked for


def translate_error(error: BaseException, url: Url) -> ReadError | None:
    """Return what ``error`` means for reading ``url``; ``None`` for one that says so itself, or is about something else."""
    name = redacted(str(url))
    if isinstance(error, ssl.SSLCertVerificationError):
        return ReadError(
            f"{name} could not be read: the server could not prove who it is ({error.verify_message})", code="read-host"
        )
    if isinstance(error, TimeoutError):
        return ReadError(f"{name} could not be read: the server said nothing for too long", code="read-stalled", retryable=True)
    if isinstance(error, http.client.IncompleteRead):
        return ReadError(f"{name} could not be read: the connection ended too soon", code="read-cut-off", retryable=True)
    if isinstance(error, OSError):
        return ReadError(f"{name} could not be read: {error.strerror or type(error).__name__}", retryable=True)
    if isinstance(error, http.client.HTTPException):
        return ReadError(f"{name} could not be read: what was answered is not HTTP", retryable=True)
    return None


def retry_after(value: str, now: float) -> float:
    """Return the seconds that ``Retry-After`` asks for: a number, or a date; 0 when it makes no sense."""
    if value.strip().isdigit():
        return min(float(value), _LONGEST_PAUSE)
    with suppress(ValueError, OverflowError):
        return min(max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now), _LONGEST_PAUSE)
    return 0.0
