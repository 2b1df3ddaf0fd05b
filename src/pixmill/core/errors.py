"""Every error that pixmill raises, and its meaning for a run.

    PixmillError
    ├── ConfigError            nothing was run                            exit 2
    │   ├── RecipeError
    │   ├── AddressError
    │   └── MissingExtra
    ├── ImageError             recorded for one image, the run continues  exit 1
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
    └── RunError               the run cannot continue                    exit 3

The docstring of a class is its default message and the text that ``pixmill explain CODE`` prints. Its ``code`` is stable, and so
are its narrower ``codes``, which describe the failure more exactly; each is listed with its meaning.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from pixmill.core.remedy import Options, install_command, with_command


class PixmillError(Exception):
    """Something went wrong in pixmill."""

    code: ClassVar[str] = "error"
    codes: ClassVar[Mapping[str, str]] = {}
    exit_code: ClassVar[int] = 1

    def __init__(  # noqa: PLR0913  # all optional
        self,
        message: str = "",
        *,
        hint: str = "",
        code: str = "",
        retryable: bool = False,
        retry_after: float = 0.0,
        options: Options | None = None,
        evidence: Mapping[str, int | str] = MappingProxyType({}),
    ) -> None:
        """Describe the problem in ``message`` and the remedy in ``hint``.

        ``options`` are those with which the image passes, each with the least value that suffices (``{"max_pixels": "120MP"}``);
        the hint ends with the command that retries with them.

        ``code`` is one of the class's narrower ``codes`` (``limit-pixels`` of ``limit``). ``retryable`` means that the same
        call may succeed later: true for storage that returned EIO, never for a corrupt file. ``retry_after`` is the earliest
        time for another attempt, in seconds from now, if the server gave one. ``evidence`` is what the failure was due to, as
        plain data, so that a later run can tell whether it still exists.
        """
        self.message = message or (self.__doc__ or type(self).__name__).strip().splitlines()[0]
        self.options = dict(options or {})
        self.hint = with_command(hint, self.options)
        self.retryable = retryable
        self.retry_after = retry_after
        self.evidence = evidence
        if code:
            self.code = code  # type: ignore[misc]  # narrowed for this instance only
        super().__init__(self.message)

    def __str__(self) -> str:
        """Return the message, and the hint on a line of its own, so that a traceback or a log shows both."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(PixmillError):
    """The configuration is wrong; nothing was run."""

    code = "config"
    codes: ClassVar = {
        "collision": "two sources map to the same output name, and --on-collision is error",
        "exists": "a file that pixmill did not write has the name of an output, and --existing is refuse, or DST is that file",
        "foreign-file": "an option would overwrite SRC, a part of the state, or a file that pixmill did not write",
        "no-images": "there is nothing to do: the source contains no images",
        "system": "this operating system lacks what a run needs",
    }
    exit_code = 2


class RecipeError(ConfigError):
    """The recipe is wrong; nothing was run."""

    code = "recipe"


class AddressError(ConfigError):
    """An address is invalid or cannot be used here."""

    code = "address"


class MissingExtra(ConfigError):
    """An optional dependency of pixmill is not installed."""

    code = "missing-extra"

    def __init__(self, extra: str, purpose: str) -> None:
        """Compose the message; ``purpose`` is its subject: *reading HEIC images*."""
        super().__init__(f"{purpose} needs the extra '{extra}'", hint=install_command(extra))


class ImageError(PixmillError):
    """An image could not be processed; the run continues."""

    code = "image"
    stage: ClassVar[str] = "process"


class ReadError(ImageError):
    """The source could not be read."""

    code = "read"
    codes: ClassVar = {
        "archive-damaged": "the archive is damaged or truncated, and the files after the damage cannot be found",
        "archive-member": "a file in the archive cannot be read: it is encrypted, sparse or damaged, or its path leads out of it",
        "changed": "the file was removed during the run, or modified again and again; the next run processes what it finds",
        "limit-bytes": "the file is larger than --max-source-bytes",
        "read-changed": "the file changed while it was being read",
        "read-cut-off": "the server sent fewer bytes than it announced",
        "read-denied": "this user has no permission to read the file, or the server refused access to it",
        "read-host": "the host of a URL cannot be found, or its certificate cannot be verified",
        "read-key": "the key of an object is not a path: it has an empty part, a part '.' or '..', or a control character",
        "read-name": "the path is too long for the file system",
        "read-not-a-file": "the path is not a regular file but a folder, pipe, device, socket or symbolic link",
        "read-private": "the URL leads to a host that is not on the public internet; --allow-private-hosts allows it",
        "read-stalled": "the server sent nothing for too long",
        "read-url": "the URL is invalid, contains a password, or redirects to a forbidden target",
        "read-vanished": "the file no longer exists, or the server returned 404 or 410",
        "throttled": "the store asks for fewer requests; the image is retried later, as often as necessary",
        "unanswered": "the store answers neither this nor other requests in full; the image is retried, as often as necessary",
        "unreachable": "no connection to the store can be made; the image is retried later, as often as necessary",
    }
    stage = "read"


class DecodeError(ImageError):
    """The source is damaged, truncated, or not an image."""

    code = "decode"
    codes: ClassVar = {
        "not-an-image": "the file is empty or, whatever its name says, not an image",
        "truncated": "the file is truncated; --allow-truncated uses the part that is there",
    }
    stage = "decode"


class UnsupportedError(ImageError):
    """The source is an image of a kind that pixmill cannot read."""

    code = "unsupported"
    stage = "header"

    def __init__(self, message: str = "", *, hint: str = "", options: Options | None = None, kind: str = "") -> None:
        """Describe the problem; ``kind`` names the kind of image in counts of failures: *JPEG 2000*, *CMYK JPEG XL*."""
        super().__init__(message, hint=hint, options=options, evidence={"kind": kind} if kind else {})


class LimitError(ImageError):
    """The source exceeds a limit that protects the machine."""

    code = "limit"
    codes: ClassVar = {
        "limit-frames": "the animation has more frames than --max-frames",
        "limit-memory": "the image needs more memory than --memory allows, even with nothing else running",
        "limit-metadata": "the file contains more metadata than --max-metadata",
        "limit-pixels": "the image has more pixels than --max-pixels",
        "limit-scans": "the progressive JPEG has more scans than --max-scans",
        "limit-side": "a side of the image is longer than --max-side",
    }
    stage = "header"


class TransformError(ImageError):
    """A step of the recipe failed on this image."""

    code = "transform"
    stage = "transform"


class EncodeError(ImageError):
    """The result could not be encoded in the requested format."""

    code = "encode"
    codes: ClassVar = {
        "max-size": "the file would be larger than --max-size, even at the lowest quality and the smallest dimensions",
        "too-large": "a side of the result is longer than its format allows",
    }
    stage = "encode"


class WriteError(ImageError):
    """The result could not be written. ``name``: which of several files was it, if there were several."""

    name: bytes = b""
    code = "write"
    codes: ClassVar = {
        "exists": "a file that pixmill did not write already has the name of the output; --existing decides how to handle it",
        "reserved": "the result would be inside a folder .pixmill, where pixmill keeps its own files",
        "write-denied": "this user has no permission to write there",
        "write-link": "a symbolic link below the destination leads elsewhere; --follow-output-links writes through it",
        "throttled": "the store asks for fewer requests; the image is retried later, as often as necessary",
        "unanswered": "the store did not answer or broke off, not only for this image, which is retried as often as necessary",
        "unreachable": "no connection to the store can be made; the image is retried later, as often as necessary",
        "write-name": "the file system does not accept the name of the output: it is too long, or has characters that are refused",
    }
    stage = "write"


class WorkerError(PixmillError):
    """A worker process failed on this task."""

    code = "worker"
    codes: ClassVar = {
        "handler": "the processing code raised an unexpected exception; the failure record contains its traceback",
        "interrupted": "runs were killed while they worked on this image, at last on nothing else, so it is probably the cause",
        "node-lost": "nodes of the cluster were lost repeatedly while they had this image, so the image may be the cause",
        "stalled": "the worker process started none of the tasks waiting for it, and was killed",
    }


class WorkerCrashed(WorkerError):
    """The worker process died while working on this task, twice: the second time with the task alone in a fresh process."""

    code = "crash"


class TaskTimeout(WorkerError):
    """The task was still running at its deadline, so its worker was killed."""

    code = "timeout"


class OutOfMemory(WorkerError):
    """The worker process was killed while working on this task, probably because memory ran out."""

    code = "out-of-memory"


class Skip(Exception):  # a result, not an error
    """Raise it in a step of your own to make no output of an image, and no failure: ``raise Skip("no face")``.

    The ``reason`` is a word or a few, the same for all images with it: they are counted by it. The image is listed by ``pixmill
    rejected`` and not tried again until it or the recipe changes.

    Raised by a handler of ``pixmill.engine``, it skips the task; the next run finds it again, unless there is a ``result``, which
    is recorded.
    """

    def __init__(self, reason: str, *, result: bytes = b"") -> None:
        """Store the parameters."""
        super().__init__(reason)
        self.reason = reason
        self.result = result


class RunError(PixmillError):
    """The environment or too many failures stopped the run; unfinished images stay pending."""

    code = "run"
    codes: ClassVar = {
        "disk-full": "there is no space, inode or quota left for an output",
        "export": "a log or metrics file can no longer be written",
        "ledger": "the ledger cannot be used",
        "ledger-busy": "another run is using the ledger",
        "ledger-damaged": "the ledger's file is damaged",
        "ledger-foreign": "the file at the ledger's path is a database of another program",
        "ledger-io": "the ledger cannot be read or written",
        "ledger-lost": "the ledger was removed while a run was using it",
        "ledger-missing": "there is no ledger where one was expected",
        "ledger-version": "the ledger was written by a newer pixmill",
        "locked": "another run is writing to the same output",
        "not-readable": "the source cannot be read with the permissions or credentials of this user",
        "not-writable": "the destination cannot be written to with the permissions or credentials of this user",
        "output-lost": "the destination was removed or replaced while results were being written to it",
        "parts-lost": "finished images of a dataset are missing or were changed; the next run makes them again",
        "read-only": "the destination is read-only, or on a read-only file system",
        "same-failure": "the first hundred images all failed with the same code; --max-failures 100% continues nevertheless",
        "shard-changed": "a shard of a dataset was changed by another program, and would have to be written again",
        "state-untrusted": "the state folder, or a file in it, is a link or belongs to another user",
        "temporary-files": "temporary files cannot be written: their folder is full, missing or read-only",
        "throttled": "a store has refused every request for as long as --store-timeout allows",
        "too-many-failures": "more images failed than --max-failures allows",
        "unanswered": "a store has not answered, or broken off each answer, for as long as --store-timeout allows",
        "unreachable": "no connection to a store could be made for as long as --store-timeout allows",
    }
    exit_code = 3


#: The codes of failures that are the same on every machine: they follow from the source and the recipe alone.
MACHINE_INDEPENDENT_CODES = frozenset(
    {
        "archive-damaged",
        "archive-member",
        "deferred",
        "limit-bytes",
        "read-private",
        "read-url",
        "throttled",
        "too-large",
        "unanswered",
        "unreachable",
        "write-name",
        *(code for kind in (DecodeError, UnsupportedError, LimitError) for code in (kind.code, *kind.codes)),
    }
)


def may_be_the_machine(code: str) -> bool:
    """Tell whether a failure with ``code`` may be caused by the machine that tried, so that another one may succeed."""
    return code not in MACHINE_INDEPENDENT_CODES


def error_codes(family: type[PixmillError] = PixmillError) -> Iterator[str]:
    """Yield the codes of ``family`` and of all errors derived from it."""
    if "code" in vars(family):
        yield family.code
    yield from vars(family).get("codes", ())
    for error in family.__subclasses__():
        yield from error_codes(error)
