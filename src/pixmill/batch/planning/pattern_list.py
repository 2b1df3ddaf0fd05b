"""``PatternList``: applies the patterns of one option to a listing, and counts what each of them decides."""

import os
from collections.abc import Iterator

from pixmill.batch.config.pattern import Pattern, PatternCount, composed


class PatternList:
    """The patterns of one option, applied as Git applies a .gitignore: the last one that matches decides.

    A folder that matches takes everything below it along, whatever other patterns say about that. Fast for paths that are asked
    for folder by folder.
    """

    def __init__(self, option: str, patterns: tuple[Pattern, ...]) -> None:
        """Take the ``patterns``, in the order in which they were given."""
        self._option = option
        self._patterns = patterns
        self._last_first = tuple(reversed(list(enumerate(patterns))))
        self._images = [0] * len(patterns)
        self._unused = set(range(len(patterns)))
        self._folder = b""
        self._folder_decision: int | None = None

    def __bool__(self) -> bool:
        """Tell whether there is any pattern."""
        return bool(self._patterns)

    def takes(self, path: bytes) -> bool:
        """Tell whether the file ``path`` matches, and count it for the pattern that decides."""
        folder, _, name = path.rpartition(b"/")
        if folder != self._folder:
            self._folder, self._folder_decision = folder, self._decision_on_folder(folder)
        decision = self._folder_decision
        if decision is None:
            decision = self._last_match(composed(os.fsdecode(path)), composed(os.fsdecode(name)), is_folder=False)
        if decision is None:
            return False
        self._images[decision] += 1
        return not self._patterns[decision].is_negated

    def takes_folder(self, path: bytes) -> bool:
        """Tell whether the folder ``path`` matches, with everything below it."""
        return self._decision_on_folder(path) is not None

    def counts(self) -> Iterator[PatternCount]:
        """Yield the count of each pattern, in the order in which they were given."""
        for number, (pattern, images) in enumerate(zip(self._patterns, self._images, strict=True)):
            yield PatternCount(option=self._option, pattern=pattern.text, images=images, is_used=number not in self._unused)

    def reset_counts(self) -> None:
        """Count from zero again."""
        self._images = [0] * len(self._patterns)
        self._unused = set(range(len(self._patterns)))

    def _decision_on_folder(self, folder: bytes) -> int | None:
        """Return the number of the pattern that takes ``folder`` or one that contains it; ``None`` if none does."""
        end = 0
        while folder and end != len(folder):
            end = folder.find(b"/", end + 1) if folder.find(b"/", end + 1) >= 0 else len(folder)
            path = composed(os.fsdecode(folder[:end]))
            decision = self._last_match(path, path.rpartition("/")[2], is_folder=True)
            if decision is not None and not self._patterns[decision].is_negated:
                return decision
        return None

    def _last_match(self, path: str, name: str, *, is_folder: bool) -> int | None:
        """Return the number of the last pattern that matches; also note earlier ones that match for the first time."""
        decision = None
        for number, pattern in self._last_first:
            is_open = decision is None or number in self._unused
            if is_open and pattern.matches(path, name, is_folder=is_folder):
                self._unused.discard(number)
                decision = number if decision is None else decision
            elif decision is not None and not self._unused:
                break
        return decision
