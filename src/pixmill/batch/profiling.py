"""Profile a run: trace a few of its images in the workers and merge the traces into one file at the end."""

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from pixmill import __version__
from pixmill.batch.item import from_payload
from pixmill.batch.outputs.named_files import check_again
from pixmill.core.errors import ConfigError
from pixmill.core.temporary_folder import temporary_folder
from pixmill.core.text import printable
from pixmill.core.validation import DECODE_ERRORS
from pixmill.engine.handler import HandlerRef
from pixmill.engine.observability.files import atomic_text_file, run_error_if_unwritable
from pixmill.engine.profiling.sampled_handler import with_sampling
from pixmill.engine.profiling.speedscope import as_speedscope
from pixmill.engine.profiling.tracer import Trace

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


class Profiling:
    """A context manager for the duration of a run, whose handler goes through ``wrap_handler``. Does nothing without a ``path``.

    Only workers on this machine can be traced.
    """

    def __init__(self, path: Path | None) -> None:
        """Write the profile to ``path``; ``ConfigError`` when its folder does not exist."""
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(f"{printable(path)} cannot be written: its folder does not exist", hint="choose another file")
        self._path = path
        self._spool: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        """Create the temporary folder for the traces."""
        if self._path is not None:
            self._spool = temporary_folder("pixmill-profile-")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the traces."""
        if self._spool is not None:
            self._spool.cleanup()

    def wrap_handler(self, handler: HandlerRef) -> HandlerRef:
        """Return ``handler`` wrapped so that it traces some of its images."""
        if self._spool is None:
            return handler
        return with_sampling(handler, Path(self._spool.name), f"{__name__}:{image_name.__name__}")

    def write(self) -> None:
        """Write the profile; ``RunError`` when the file cannot be written."""
        if self._path is None or self._spool is None:
            return
        profile = as_speedscope(_traces(Path(self._spool.name)), name=self._path.name, exporter=f"pixmill {__version__}")
        check_again("--profile", self._path, "profile")
        with run_error_if_unwritable(self._path), atomic_text_file(self._path) as file:
            json.dump(profile, file, separators=(",", ":"))


def image_name(payload: bytes) -> bytes:
    """Return the path of the image in a task's ``payload``."""
    return from_payload(payload).entry.path


def _traces(spool: Path) -> list[Trace]:
    """Return the traces, without those cut off by the death of a worker."""
    traces = []
    for path in sorted(spool.glob("*.trace")):
        with suppress(OSError, *DECODE_ERRORS):
            traces.append(msgspec.msgpack.decode(path.read_bytes(), type=Trace))
    return traces
