"""Dashes as people type them: ``-resize 800x600``, as for ImageMagick, cwebp and ffmpeg; options after ``--``."""

import os
import re
from collections.abc import Mapping, Sequence

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.batch.config.answers import ANSWERS
from pixmill.batch.config.options import Option
from pixmill.core.errors import ConfigError

_ONE_DASH = re.compile(r"-([A-Za-z][A-Za-z_-]{2,})(=.*)?", re.DOTALL)


def with_two_dashes(words: Sequence[str], options: Mapping[str, Option], flags: Sequence[str]) -> list[str]:
    """Return ``words`` with two dashes before the name of an option, of ``flags``, or of what there is an answer for.

    Without that, ``-strip`` would be ``-s trip``. A word that is no such name stays as it is: ``-fwebp`` is ``-f webp``.
    """
    from pixmill.imaging.operation import Operation  # noqa: PLC0415  # only for a word with one dash

    result = []
    names: set[str] = set()
    for word in words:
        match = _ONE_DASH.fullmatch(word)
        if match and not names:
            operations = (*Operation.registry.names(), *Operation.registry.other_words)
            names = {*options, *ALIASES, *ALWAYS_ON, *ANSWERS, *operations, *(each.removeprefix("--") for each in flags)}
        result.append(f"-{word}" if match and match[1].lower().replace("-", "_") in names else word)
    return result


def refuse_options_after_names(line: Sequence[str], options: Mapping[str, Option]) -> None:
    """Raise ``ConfigError`` for one of ``options`` after ``--``, unless there is a file of this name."""
    for word in line[line.index("--") + 1 :] if "--" in line else ():
        name = word.partition("=")[0]
        if name.startswith("--") and name[2:].replace("-", "_") in options and not os.path.lexists(word):
            message = f"{name} follows --, where every word is the name of a file, and there is no such file"
            raise ConfigError(message, hint="put -- after the options, before the names of files")
