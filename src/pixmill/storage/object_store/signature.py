"""Sign requests to S3: AWS Signature Version 4.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

_EMPTY = hashlib.sha256(b"").hexdigest()


class AccessKey(msgspec.Struct, frozen=True):
    """A key that can sign, and the region it signs for. ``token`` belongs to temporary keys."""

    identity: str
    secret: str
    region: str
    token: str = ""

    def __repr__(self) -> str:
        """Return a text without the key."""
        return "AccessKey(...)"


def query_text(query: Mapping[str, str]) -> str:
    """Return ``query`` as in a URL and as it is signed: sorted, with everything quoted that need be."""
    return "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))


def signed_headers(key: AccessKey, *, host: str, path: str, query: Mapping[str, str], now: float) -> dict[str, str]:
    """Return the headers of a GET request for the quoted ``path`` at ``host``, signed at ``now``, seconds since the epoch."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment}
    if key.token:
        headers["x-amz-security-token"] = key.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(["GET", path, query_text(query), lines, names, _EMPTY])
    scope = f"{moment[:8]}/{key.region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.new(secret, text.encode(), "sha256").hexdigest()
    credential = f"Credential={key.identity}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {credential}"}
