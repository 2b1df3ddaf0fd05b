"""Find extensions by module name, and plugins by entry point; each is imported only when it is needed.

A new operation, codec, scheme, executor, ledger, source or command is one new file in the package that its registry
names: the module's name is the extension's name, and the extension is the class that the module defines.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from pixmill.core.errors import ConfigError
from pixmill.core.suggestion import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

#: The folders that describe installed packages, the kind of package that has its description inside, and the file in both.
METADATA, EGG, ENTRY_POINTS = (".dist-info", ".egg-info"), ".egg", "entry_points.txt"


class Registry(Generic[T]):
    """The extensions of one kind: modules of ``package`` and entry points of the group of the same name.

    ``base`` is the class that each extension derives from, ``kind`` the noun for an extension in messages. A module whose
    name starts with an underscore is not an extension. ``other_words`` are what people call an extension, and its name.
    """

    def __init__(
        self,
        package: str,
        base: type[T],
        kind: str,
        error: type[ConfigError] = ConfigError,
        *,
        other_words: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Store the package to search; nothing is imported yet."""
        self.package = package
        self.base = base
        self.kind = kind
        self.error = error
        self.other_words = other_words
        self._loaded: dict[str, type[T]] = {}

    def names(self) -> list[str]:
        """Return the names of all extensions, sorted, without importing any."""
        return sorted({*self._modules, *self._plugins})

    def get(self, name: str) -> type[T]:
        """Return the extension called ``name`` (``-`` and ``_`` are the same); raise the registry's error if it is unknown."""
        module = name.replace("-", "_")
        if module not in self._loaded:
            self._loaded[module] = self._load(module)
        return self._loaded[module]

    def __iter__(self) -> Iterator[tuple[str, type[T]]]:
        """Import and yield every extension with its name."""
        for name in self.names():
            yield name, self.get(name)

    def preload(self) -> bool:
        """Import the extensions of the package itself, and look for plugins without running any of their code.

        For a process from which others are forked. Return whether every extension is loaded: there are no plugins.
        """
        for name in self._modules:
            self.get(name)
        return not self._plugins

    def _load(self, name: str) -> type[T]:
        if name in self._modules:  # nothing else that a user types is imported: ".." would be a package, too
            module = importlib.import_module(f"{self.package}.{name}")
            return self._defined_in(module.__name__, vars(module))
        plugins = self._plugins
        if name not in plugins:
            names = self.names()
            meant = self.other_words.get(name.lower(), name)
            suggestion = f"; use {meant}" if meant in names else did_you_mean(name, names) or f"; choose one of {', '.join(names)}"
            raise self.error(f"unknown {self.kind} '{name}'{suggestion}")
        extension: type[T] = plugins[name].load()
        return extension

    def _defined_in(self, module: str, names: dict[str, object]) -> type[T]:
        for value in names.values():
            if isinstance(value, type) and issubclass(value, self.base) and value.__module__ == module:
                return value
        raise self.error(f"the module {module} defines no {self.kind}")

    @cached_property
    def _modules(self) -> list[str]:
        package = importlib.import_module(self.package)
        return [module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")]

    @cached_property
    def _plugins(self) -> "dict[str, EntryPoint]":
        return entry_points(self.package)  # searched for once


def entry_points(group: str) -> "dict[str, EntryPoint]":
    """Return the entry points of ``group`` by name, with ``_`` in place of ``-``."""
    if not _may_declare(group):
        return {}
    from importlib import metadata  # noqa: PLC0415  # takes as long to import as a small image to process, and usually finds nothing

    return {point.name.replace("-", "_"): point for point in metadata.entry_points(group=group)}


def _may_declare(group: str) -> bool:
    declared = [_declarations(folder or ".", _version(folder or ".")) for folder in dict.fromkeys(sys.path)]
    return any(text is None or group in text for text in declared)


def _version(folder: str) -> int:
    """Return the time of the last change of ``folder``; 0 if it does not exist."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116  # pathlib costs more than the call
    except OSError:
        return 0


@cache
def _declarations(folder: str, version: int) -> str | None:
    """Return what the packages in ``folder`` declare; ``None`` if that is not known, as in an archive."""
    if not version:
        return ""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # names are enough
    except OSError:
        return None
    if any(name.endswith(EGG) for name in names) or folder.endswith(EGG):
        return None
    return "".join(_text(os.path.join(folder, name, ENTRY_POINTS)) for name in names if name.endswith(METADATA))  # noqa: PTH118  # as above


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:
        return ""
