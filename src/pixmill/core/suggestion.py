"""Suggest the name that was probably meant: only for a slip of the fingers, never for a word of another meaning.

``--resume`` is no misspelt ``--resize``, and ``--skip`` no ``--strip``, although they have most letters in common. So what counts
is the number of slips, not the share of equal letters. In a short word one slip often makes another word (*stop*, *step*), so
there only those are accepted that hardly ever do: letters that were left out, swapped or doubled, or that sound alike.
"""

import re
from collections.abc import Iterable

_MIN_LENGTH = 3  # letters; shorter words are too similar to each other
_ONE_SLIP, _TWO_SLIPS = 6, 9  # letters of a word in which any one slip, or any two, are accepted
_SOUND_ALIKE = (frozenset("sz"), frozenset("ck"), frozenset("iy"))
_SEPARATORS = re.compile(r"[-_]")


def did_you_mean(name: object, candidates: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` with the candidate of which ``name`` is a misspelling; an empty string if there is none."""
    words = _words(str(name))
    slips = {candidate: count for candidate in candidates if (count := _slips_in_words(words, _words(candidate))) is not None}
    return f"; did you mean '{min(slips, key=lambda each: slips[each])}'?" if slips else ""


def _words(name: str) -> list[str]:
    return _SEPARATORS.split(name.strip("-_ ").lower())


def _slips_in_words(words: list[str], others: list[str]) -> int | None:
    """Return the number of slips that make ``words`` of ``others``; ``None`` if they are too many in one of them."""
    if "".join(words) == "".join(others):
        return 0
    if len(words) != len(others):
        return None
    counts = [_slips(word, other) for word, other in zip(words, others, strict=True)]
    return None if None in counts else sum(count or 0 for count in counts)


def _slips(word: str, meant: str) -> int | None:
    """Return the number of slips that make ``word`` of ``meant``; ``None`` if they are too many."""
    if word == meant:
        return 0
    length = min(len(word), len(meant))
    if length < _MIN_LENGTH or abs(len(word) - len(meant)) > 2:  # noqa: PLR2004  # slips, at most
        return None
    count = _distance(word, meant)
    if count == 1 and (length >= _ONE_SLIP or _is_harmless(word, meant)):
        return 1
    return count if count <= 2 and length >= _TWO_SLIPS else None  # noqa: PLR2004  # slips, at most


def _is_harmless(word: str, meant: str) -> bool:
    """Tell whether the one slip that makes ``word`` of ``meant`` hardly ever makes a word of another meaning."""
    if len(word) < len(meant):
        return word[0] == meant[0]
    if len(word) > len(meant):  # a letter twice, or the plural
        return word == f"{meant}s" or any(word == meant[:index] + meant[index - 1] + meant[index:] for index in range(1, len(word)))
    different = {each for pair in zip(word, meant, strict=True) if pair[0] != pair[1] for each in pair}
    return sorted(word) == sorted(meant) or different in _SOUND_ALIKE


def _distance(word: str, other: str) -> int:
    """Return how many letters have to be inserted, removed, replaced, or swapped with their neighbour, to make one of the other."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, character in enumerate(word, 1):
        now = [row]
        for column, wanted in enumerate(other, 1):
            steps = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (character != wanted))
            if row > 1 and column > 1 and character == other[column - 2] and word[row - 2] == wanted:
                steps = min(steps, before[column - 2] + 1)
            now.append(steps)
        before, last = last, now
    return last[-1]
