"""References to Python functions as text, to import in another process: ``package.module:name`` or ``/path/to/file.py:name``."""

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
    """Return the reference of a top-level function, ``module:name``; ``ConfigError`` for a lambda or an inner function."""
    name = getattr(function, "__qualname__", repr(function))
    if "<" in name:
        message = f"expected a function at the top level of a module, received {name}"
        raise ConfigError(message, hint="worker processes import the function by name: define it with def at module level")
    module = sys.modules.get(function.__module__)
    path = getattr(module, "__file__", None)
    if function.__module__ == "__main__" and (path is None or not Path(path).is_file()):  # "<stdin>" is the path of standard input
        message = f"the function {name} is defined in an interactive session, where worker processes cannot import it"
        raise ConfigError(message, hint="put the function into a .py file, and import it from there")
    if path is None or _is_found_by_name(function.__module__, path):
        return f"{function.__module__}:{name}"
    return f"{Path(path).resolve()}:{name}"


def _is_found_by_name(module: str, path: str) -> bool:
    """Tell whether a fresh process would find ``module`` at ``path``: not if it is a script, or a test loaded from its file."""
    search_path: Sequence[str] | None = None
    parents = module.split(".")
    for depth in range(1, len(parents) + 1):
        spec = PathFinder.find_spec(".".join(parents[:depth]), search_path)
        if spec is None:
            return False
        search_path = spec.submodule_search_locations
    return spec is not None and spec.origin == path


def import_object(address: str) -> Callable[..., Any]:  # the caller knows the signature
    """Import the function that ``reference`` named, from a module or a file; ``ConfigError`` if it does not exist.

    A file is executed once in a process, however often it is imported, even if it is the script that the process runs. Exceptions
    of the module's own code are not caught.
    """
    module_name, _, name = address.rpartition(":")
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else _from_name(module_name)
    value: Any = module
    for part in name.split("."):
        value = getattr(value, part, None)
    if not callable(value):
        raise ConfigError(f"{module_name} has no function called {name}")
    function: Callable[..., Any] = value
    return function


def _from_name(name: str) -> ModuleType:
    """Import ``name``: ``ConfigError`` if that module does not exist; a failing import inside it is raised as it is."""
    if not name:
        raise ConfigError("expected a function as module:name or path/to/file.py:name, received no module")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ConfigError(f"there is no Python module {name}") from None


def _from_file(path: Path) -> ModuleType:
    """Execute the file ``path`` as a module with a private name, which differs for two files with the same stem."""
    path = path.resolve()
    script = sys.modules["__main__"]
    if getattr(script, "__file__", None) and Path(str(script.__file__)).resolve() == path:
        return script
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
