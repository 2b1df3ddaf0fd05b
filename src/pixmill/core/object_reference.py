"""Name a Python function as text, and find it again in another process: ``package.module:name`` or ``/path/to/file.py:name``."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from pixmill.core.errors import ConfigError


def reference(function: Callable[..., object]) -> str:
    """Return the address of a top-level function, ``module:name``; ``ConfigError`` for a lambda or an inner function."""
    name = getattr(function, "__qualname__", repr(function))
    if "<" in name:
        message = f"expected a function at the top level of a module, received {name}"
        raise ConfigError(message, hint="worker processes import the function by its name: move it out and name it")
    module = sys.modules.get(function.__module__)
    path = getattr(module, "__file__", None)
    if function.__module__ == "__main__" and path is None:
        raise ConfigError(f"the function {name} was typed in an interactive session", hint="put it into a file")
    if path is None or _is_found_by_name(function.__module__, path):
        return f"{function.__module__}:{name}"
    return f"{Path(path).resolve()}:{name}"


def _is_found_by_name(module: str, path: str) -> bool:
    """Tell whether a fresh process would find ``module`` at ``path``; a script or a test that was loaded as a file it would not."""
    places: Sequence[str] | None = None
    parents = module.split(".")
    for depth in range(1, len(parents) + 1):
        spec = PathFinder.find_spec(".".join(parents[:depth]), places)
        if spec is None:
            return False
        places = spec.submodule_search_locations
    return spec is not None and spec.origin == path


def import_object(address: str) -> Callable[..., Any]:  # the caller knows the signature
    """Import what ``reference`` named, from a module or from a file; ``ConfigError`` when it is not there.

    A file is run once in a process, however often it is asked for. An exception of the module's own code is not caught.
    """
    module_name, _, name = address.rpartition(":")
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else _from_name(module_name)
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigError(f"{module_name} has no function called {name}")
    function: Callable[..., Any] = found
    return function


def _from_name(name: str) -> ModuleType:
    """Import the module ``name``; a missing module is the configuration's fault, one missing inside of it is its own."""
    if not name:
        raise ConfigError("expected a function as module:name or path/to/file.py:name, received no module")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ConfigError(f"there is no Python module {name}") from None


def _from_file(path: Path) -> ModuleType:
    """Run the file ``path`` as a module of a private name, which two files of one stem do not share."""
    path = path.resolve()
    name = f"_pixmill_{path.stem}_{hashlib.blake2b(str(path).encode('utf-8', 'surrogateescape'), digest_size=8).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
