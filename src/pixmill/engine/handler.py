"""The code that turns a task into a result, and how a worker process finds it."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Protocol

import msgspec

from pixmill.core.errors import ConfigError


class Stages(Protocol):
    """Where a handler says what it is doing. One instance for a worker's life."""

    def enter(self, stage: str) -> None:
        """Say that ``stage`` begins now (``read``, ``decode``, ...). Microseconds; seen by the parent even after a crash."""


class Handler(Protocol):
    """Turns one task's payload into a result. Called in a worker process, for one task at a time."""

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Return the result; raise to fail the task.

        A ``PixmillError`` becomes a ``Failure`` with its code, stage, message, hint and ``retryable``; a ``RunError`` a fatal
        one. Any other exception becomes code ``handler`` with a trimmed traceback. The result must be durable on return.
        """


class HandlerRef(msgspec.Struct, frozen=True):
    """How a worker process finds a handler.

    ``factory`` is ``package.module:name`` or ``/path/to/file.py:name``: a callable that takes ``options`` (bytes, opaque to
    the engine) and returns a ``Handler``. With ``plain`` set the callable itself is the work: it is given the payload and
    returns the result. ``preload`` names modules to import once, before workers are forked.
    """

    factory: str
    options: bytes = b""
    plain: bool = False
    preload: tuple[str, ...] = ()

    @classmethod
    def to(cls, function: Callable[[bytes], bytes]) -> "HandlerRef":
        """Return the reference to a plain function ``bytes -> bytes`` at the top level of a module or script."""
        return cls(reference(function), plain=True)

    def load(self) -> Handler:
        """Import the handler and build it. Called in the worker."""
        made = resolve(self.factory)
        if self.plain:
            return lambda payload, stages: made(payload)  # noqa: ARG005  # a plain function has no stages
        handler: Handler = made(self.options)
        return handler


def reference(function: Callable[..., object]) -> str:
    """Return the address of a top-level function, ``module:name``; ``ConfigError`` for a lambda or an inner function."""
    name = function.__qualname__
    if "<" in name:
        message = f"expected a function at the top level of a module, received {name}"
        raise ConfigError(message, hint="worker processes import the function by its name: move it out and name it")
    module = function.__module__
    if module == "__main__":
        path = getattr(sys.modules["__main__"], "__file__", None)
        if path is None:
            raise ConfigError(f"the function {name} was typed in an interactive session", hint="put it into a file")
        module = str(Path(path).resolve())
    return f"{module}:{name}"


def resolve(address: str) -> Callable[..., object]:  # the caller knows the signature
    """Import what ``reference`` named, from a module or from a file; ``ConfigError`` when it is not there."""
    module_name, _, name = address.rpartition(":")
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else importlib.import_module(module_name)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigError(f"{module_name} has no function called {name}")
    return found


def _from_file(path: Path) -> ModuleType:
    name = f"_pixmill_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
