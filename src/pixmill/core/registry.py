"""Find extensions by module name, and by entry point for plugins; import one only when it is asked for.

A new operation, codec, scheme, executor, ledger, source or command is one new file in the package that its registry
names: the module's name is the extension's name, and the extension is the class that the module defines.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from pixmill.core.errors import ConfigError
from pixmill.core.validation import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Generic[T]):
    """The extensions of one kind: modules of ``package`` and entry points of the group of the same name.

    ``base`` is the class that each extension derives from, ``kind`` the word for one of them in messages. A module whose
    name starts with an underscore is not an extension.
    """

    def __init__(self, package: str, base: type[T], kind: str, error: type[ConfigError] = ConfigError) -> None:
        """Remember where to look; nothing is imported yet."""
        self.package = package
        self.base = base
        self.kind = kind
        self.error = error
        self._loaded: dict[str, type[T]] = {}

    def names(self) -> list[str]:
        """Return the names of every extension there is, sorted, without importing any."""
        return sorted({*self._modules, *self._plugins})

    def get(self, name: str) -> type[T]:
        """Return the extension called ``name`` (``-`` and ``_`` are the same); raise the registry's error if there is none."""
        module = name.replace("-", "_")
        if module not in self._loaded:
            self._loaded[module] = self._load(module)
        return self._loaded[module]

    def __iter__(self) -> Iterator[tuple[str, type[T]]]:
        """Import and yield every extension with its name."""
        for name in self.names():
            yield name, self.get(name)

    def preload(self) -> bool:
        """Import the extensions of the package itself and look for plugins, without running any code of theirs.

        For a process from which others are forked. Return whether that is all there are.
        """
        for name in self._modules:
            self.get(name)
        return not self._plugins

    def _load(self, name: str) -> type[T]:
        if name in self._modules:  # whatever else was typed is not imported: ".." would be a package, too
            module = importlib.import_module(f"{self.package}.{name}")
            return self._defined_in(module.__name__, vars(module))
        plugins = self._plugins
        if name not in plugins:
            known = self.names()
            guess = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise self.error(f"no {self.kind} is called '{name}'{guess}")
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
        return [found.name for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_")]

    @cached_property
    def _plugins(self) -> "dict[str, EntryPoint]":
        # Read once: a look at what is installed takes longer than a small picture.
        from importlib.metadata import entry_points  # noqa: PLC0415  # a worker that finds all it needs here does without

        return {point.name.replace("-", "_"): point for point in entry_points(group=self.package)}
