"""Which variables of the environment may hold credentials: workers that need no network start without them."""

import os
import re
from collections.abc import Mapping

_CREDENTIALS = re.compile(
    r"secret|token|passw|passphrase|credential|private|api_?key|access_?key|account_?key|auth|cookie|session|signature|dsn\Z"
    r"|connection_string|_url\Z|_uri\Z|\A(?:aws|azure|google|gcs|gcp|s3|ssh|gpg|docker|kube|dbus|github|gitlab|ci_job|npm|pg|mysql)_?",
    re.IGNORECASE,
)
_WITH_USER = re.compile(r"://[^/@\s]+@")  # a proxy or a server with its password in the address


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` without the variables whose names or values suggest credentials."""
    return {name: value for name, value in environment.items() if not (_CREDENTIALS.search(name) or _WITH_USER.search(value))}


def credentials(environment: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the variables of ``environment`` that ``without_credentials`` leaves out."""
    left = without_credentials(environment)
    return {os.fsencode(name): os.fsencode(value) for name, value in environment.items() if name not in left}
