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

The docstring of a class is its default message and what ``pixmill explain CODE`` prints; its ``code`` is stable.
"""

import inspect
from typing import ClassVar


class PixmillError(Exception):
    """Something went wrong in pixmill."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, hint: str = "", code: str = "", retryable: bool = False) -> None:
        """Say what happened in ``message`` and what to do about it in ``hint``.

        ``code`` narrows the class' own stable code (``limit`` to ``limit-pixels``). ``retryable`` says that the same
        call may succeed later: storage that answered EIO, never a file that is corrupt.
        """
        self.message = message or inspect.cleandoc(self.__doc__ or type(self).__name__).splitlines()[0]
        self.hint = hint
        self.retryable = retryable
        if code:
            self.code = code  # type: ignore[misc]  # narrowed for this instance only
        super().__init__(self.message)


class ConfigError(PixmillError):
    """The configuration is wrong; nothing has run."""

    code = "config"
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
    stage = "read"


class DecodeError(ImageError):
    """The source is damaged, cut off, or not an image at all."""

    code = "decode"
    stage = "decode"


class UnsupportedError(ImageError):
    """The source is an image of a kind that pixmill does not read."""

    code = "unsupported"
    stage = "header"


class LimitError(ImageError):
    """The source is beyond a limit that protects the machine."""

    code = "limit"
    stage = "header"


class TransformError(ImageError):
    """A step of the recipe failed on this image."""

    code = "transform"
    stage = "transform"


class EncodeError(ImageError):
    """The result could not be encoded in the wanted format."""

    code = "encode"
    stage = "encode"


class WriteError(ImageError):
    """The result could not be written."""

    code = "write"
    stage = "write"


class WorkerError(PixmillError):
    """A worker process failed on this task."""

    code = "worker"


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
    exit_code = 3
