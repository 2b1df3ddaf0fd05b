"""The part of the XML interface of Google Cloud Storage that obstore uses, on the loopback interface, backed by SeaweedFS.

It is the interface of S3, except that conditional writes use the *generation* of an object. A proxy assigns a generation to each
ETag and translates the conditions of requests.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.object_store_servers import open_s3_server
from support.ports import HOST
from support.proxy import FaultProxy, Faults, running

_CONDITION = re.compile(rb"(?i)\r\nx-goog-if-generation-match: *(\d+)")
_ETAG = re.compile(rb"(?i)\r\netag: *(\S+)")


class GoogleProxy(FaultProxy):
    """Adds generations to the objects of the S3 server on port ``upstream``."""

    def __init__(self, upstream: int, faults: Faults, *, port: int = 0) -> None:
        """Start with no generations; listen on nothing yet."""
        super().__init__(upstream, faults, port=port)
        self._etags: list[bytes] = []  # by generation, from 1

    def asked(self, head: bytes) -> bytes:
        """Return the head of the request with its condition translated to S3."""
        return _CONDITION.sub(self._condition, head)

    def answered(self, head: bytes) -> bytes:
        """Return the head of the response with the generation of its object."""
        return _ETAG.sub(self._with_generation, head)

    def _condition(self, match: re.Match[bytes]) -> bytes:
        generation = int(match[1])
        if not generation:
            return b"\r\nIf-None-Match: *"
        return b"\r\nIf-Match: " + (self._etags[generation - 1] if generation <= len(self._etags) else b'"unknown"')

    def _with_generation(self, match: re.Match[bytes]) -> bytes:
        if match[1] not in self._etags:
            self._etags.append(match[1])
        return match[0] + b"\r\nx-goog-generation: %d" % (self._etags.index(match[1]) + 1)


@contextmanager
def gs_server(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a server with its files in ``folder`` and the bucket ``BUCKET``; yield the environment variables for its clients."""
    with open_s3_server(folder) as port:
        proxy = GoogleProxy(port, Faults())
        with running(proxy):
            yield {"STORAGE_EMULATOR_HOST": f"http://{HOST}:{proxy.port}"}
