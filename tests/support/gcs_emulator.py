"""The XML interface of Google Cloud Storage on the loopback interface, as far as obstore speaks it: answered by SeaweedFS.

It is that of S3 but for one thing: of two who write at once, one is told from the other by the *generation* of the object. A
proxy gives each ETag a generation, and translates the conditions of requests.
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
    """Gives generations to what the S3 server on ``upstream`` has."""

    def __init__(self, upstream: int, faults: Faults, *, port: int = 0) -> None:
        """Listen on nothing yet, and have given no generation."""
        super().__init__(upstream, faults, port=port)
        self._etags: list[bytes] = []  # by generation, from 1

    def asked(self, head: bytes) -> bytes:
        """Return the request with its condition in the words of S3."""
        return _CONDITION.sub(self._condition, head)

    def answered(self, head: bytes) -> bytes:
        """Return the answer with the generation of the object that it is about."""
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
    """Run a server with its files in ``folder`` and the bucket ``BUCKET``; give the environment that leads to it."""
    with open_s3_server(folder) as port:
        proxy = GoogleProxy(port, Faults())
        with running(proxy):
            yield {"STORAGE_EMULATOR_HOST": f"http://{HOST}:{proxy.port}"}
