"""Every error pixmill raises, and what each one means for a run.

    PixmillError
    ├── ConfigError            nothing has run                            exit 2
    │   ├── RecipeError
    │   ├── AddressError
    │   └── MissingExtra
    ├── ImageError             recorded for one image, the run goes on    exit 1
    │   ├── ReadError
    │   ├── DecodeError
    │   ├── UnsupportedError
    │   ├── LimitError
    │   ├── TransformError
    │   ├── EncodeError
    │   └── WriteError
    ├── WorkerError            blamed on exactly one task                 exit 1
    │   ├── WorkerCrashed
    │   ├── TaskTimeout
    │   └── OutOfMemory
    └── RunError               the run cannot go on                       exit 3

The docstring of a class is its default message and what ``pixmill explain CODE`` prints; its ``code`` is stable. So are the
narrower ``codes`` that say more exactly what happened, each with its meaning.
"""

import inspect
from collections.abc import Mapping
from typing import ClassVar


class PixmillError(Exception):
    """Something went wrong in pixmill."""

    code: ClassVar[str] = "error"
    codes: ClassVar[Mapping[str, str]] = {}
    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str = "", *, hint: str = "", code: str = "", retryable: bool = False, retry_after: float = 0.0
    ) -> None:
        """Say what happened in ``message`` and what to do about it in ``hint``.

        ``code`` is one of the class' narrower ``codes`` (``limit-pixels`` of ``limit``). ``retryable`` says that the same
        call may succeed later: storage that answered EIO, never a file that is corrupt. ``retry_after``: in how many seconds at
        the earliest, where somebody said so.
        """
        self.message = message or inspect.cleandoc(self.__doc__ or type(self).__name__).splitlines()[0]
        self.hint = hint
        self.retryable = retryable
        self.retry_after = retry_after
        if code:
            self.code = code  # type: ignore[misc]  # narrowed for this instance only
        super().__init__(self.message)


class ConfigError(PixmillError):
    """The configuration is wrong; nothing has run."""

    code = "config"
    codes: ClassVar = {
        "collision": "two sources want one name, and --on-collision is error",
        "exists": "a file that pixmill did not write has the name of an output, and --existing is refuse",
        "foreign-file": "an option names a file to write that is SRC, part of the state, or nothing that pixmill wrote",
        "no-images": "there is nothing to do: the source holds no image",
    }
    exit_code = 2


class RecipeError(ConfigError):
    """The recipe is wrong; nothing has run."""

    code = "recipe"


class AddressError(ConfigError):
    """An address cannot be used here."""

    code = "address"


class MissingExtra(ConfigError):
    """An optional part of pixmill is not installed."""

    code = "missing-extra"

    def __init__(self, extra: str, purpose: str) -> None:
        """``purpose`` completes the sentence "... needs the extra ...": *reading HEIC images*."""
        super().__init__(f"{purpose} needs the extra '{extra}'", hint=f"pip install 'pixmill[{extra}]'")


class ImageError(PixmillError):
    """An image could not be processed; the run goes on."""

    code = "image"
    stage: ClassVar[str] = "process"


class ReadError(ImageError):
    """The source could not be read."""

    code = "read"
    codes: ClassVar = {
        "archive-damaged": "the archive is damaged or cut off, and what follows in it cannot be found",
        "archive-member": "one file in the archive cannot be read: encrypted, sparse, damaged, or with a name that leads out of it",
        "changed": "the file was written to while it was processed; the next run takes it as it is then",
        "limit-bytes": "the file is larger than --max-bytes",
        "read-changed": "the file changed while it was read",
        "read-cut-off": "fewer bytes came from a server than it had announced",
        "read-denied": "this user may not read the file",
        "read-host": "the host of a URL cannot be found, or could not prove that it is the one",
        "read-name": "the path is too long for the file system",
        "read-not-a-file": "a pipe, a device, a socket or a link where a regular file should be",
        "read-private": "a URL leads to a host that is not on the public internet; --allow-private-hosts allows it",
        "read-stalled": "a server said nothing for too long",
        "read-url": "a URL makes no sense, holds a password, or is redirected to where it must not lead",
        "read-vanished": "the file was there when the folder was listed, and is no more; or a server says that it has none",
        "throttled": "the store asks for fewer requests; the image is tried again later, as often as it takes",
    }
    stage = "read"


class DecodeError(ImageError):
    """The source is damaged, cut off, or not an image at all."""

    code = "decode"
    codes: ClassVar = {
        "not-an-image": "the file is empty, or not an image whatever its name says",
        "truncated": "the file is cut off; --allow-truncated takes what there is of it",
    }
    stage = "decode"


class UnsupportedError(ImageError):
    """The source is an image of a kind that pixmill does not read."""

    code = "unsupported"
    stage = "header"


class LimitError(ImageError):
    """The source is beyond a limit that protects the machine."""

    code = "limit"
    codes: ClassVar = {
        "limit-frames": "the animation has more frames than --max-frames",
        "limit-memory": "the picture needs more memory than --memory allows, even with nothing else running",
        "limit-metadata": "the file holds more metadata than --max-metadata",
        "limit-pixels": "the picture has more pixels than --max-pixels",
        "limit-scans": "the progressive JPEG has more passes than --max-scans",
        "limit-side": "a side of the picture is longer than --max-side",
    }
    stage = "header"


class TransformError(ImageError):
    """A step of the recipe failed on this image."""

    code = "transform"
    stage = "transform"


class EncodeError(ImageError):
    """The result could not be encoded in the wanted format."""

    code = "encode"
    codes: ClassVar = {
        "too-large": "a side of the result is longer than its format allows",
    }
    stage = "encode"


class WriteError(ImageError):
    """The result could not be written."""

    code = "write"
    codes: ClassVar = {
        "exists": "a file that pixmill did not write has the name of the output; --existing decides what is done about it",
        "reserved": "the result would lie in a folder .pixmill, where pixmill keeps its own files",
        "write-denied": "this user may not write there",
        "write-link": "a symbolic link below the destination leads elsewhere; --follow-output-links writes through it",
        "throttled": "the store asks for fewer requests; the image is tried again later, as often as it takes",
        "write-name": "the name is too long for the file system",
    }
    stage = "write"


class WorkerError(PixmillError):
    """A worker process failed on this task."""

    code = "worker"
    codes: ClassVar = {
        "handler": "the work raised an error that pixmill does not know; the failure holds its traceback",
        "interrupted": "too many runs died while this image was in flight, so it may be what killed them",
        "node-lost": "machines of the cluster went down while they held this image, again and again, so it may be what does it",
        "stalled": "the worker process took no task although it had some, and was killed",
    }


class WorkerCrashed(WorkerError):
    """The worker process died while it worked on this task, twice: the second time alone in a fresh process."""

    code = "crash"


class TaskTimeout(WorkerError):
    """The task was still running at its deadline, and its worker was killed."""

    code = "timeout"


class OutOfMemory(WorkerError):
    """The worker process was killed while it worked on this task, probably for want of memory."""

    code = "out-of-memory"


class RunError(PixmillError):
    """The environment stopped the run; what is unfinished stays pending."""

    code = "run"
    codes: ClassVar = {
        "disk-full": "there is no space, inode or quota left for an output",
        "export": "a log or metrics file cannot be written any more",
        "ledger": "the ledger cannot be used",
        "ledger-busy": "another run is using the ledger",
        "ledger-damaged": "the ledger's file is damaged",
        "ledger-foreign": "the file in the ledger's place is the database of another program",
        "ledger-io": "the ledger cannot be read or written",
        "ledger-lost": "the ledger was removed while a run was using it",
        "ledger-missing": "there is no ledger where one was expected",
        "ledger-version": "the ledger was written by a newer pixmill",
        "locked": "another run is writing to the same output",
        "not-readable": "this user may not read the source",
        "not-writable": "this user may not write to the output",
        "output-lost": "the destination was removed or replaced while results were written to it",
        "parts-lost": "finished images of a dataset are not what was written, or gone; the next run makes them anew",
        "read-only": "the output is on a file system that is read-only",
        "state-untrusted": "the state folder, or a file in it, is a link or belongs to somebody else",
        "temporary-files": "temporary files cannot be written: the folder for them is full, missing or read-only",
        "throttled": "a store has refused every request for minutes",
    }
    exit_code = 3


#: The codes of failures that follow from the source and the recipe alone, whatever the machine.
ALIKE_EVERYWHERE = frozenset(
    {
        "archive-damaged",
        "archive-member",
        "limit-bytes",
        "read-private",
        "read-url",
        "throttled",
        "too-large",
        "write-name",
        *(code for kind in (DecodeError, UnsupportedError, LimitError) for code in (kind.code, *kind.codes)),
    }
)


def may_be_the_machine(code: str) -> bool:
    """Tell whether a failure with ``code`` may be the fault of the machine that tried it, so that another may succeed."""
    return code not in ALIKE_EVERYWHERE
