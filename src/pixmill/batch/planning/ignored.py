"""The files that a selection ignored, in words: how many for which reason, by which pattern, and what takes them."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from pixmill.batch.config.pattern import PatternCount
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.observability.metrics import FailureKind

#: the option that includes files ignored for a reason
ENABLED_BY = {"symlink": "--follow-symlinks"}
MAX_NAMED = 5  # patterns named in one sentence
UNSUPPORTED = "unsupported"  # the reason of images of a kind that is not read
NOUNS = {
    "hidden": "hidden file",
    "not-an-image": "other file",
    "symlink": "symbolic link",
    "output": "output of pixmill",
    "old-version": "old version",
    "delete-marker": "deleted object",
}


def remark_on(reason: str, patterns: Sequence[PatternCount]) -> str:
    """Return a suffix for ``reason``: the option that includes such files, or the patterns that left them out; or nothing."""
    if reason in ENABLED_BY:
        return f" ({ENABLED_BY[reason]} includes them)"
    if reason == "excluded":
        return f" ({_excluding(patterns)})"
    if reason == "not-included":
        return f" (no match for {_flags(patterns, 'include')})"
    return ""


def described(
    ignored: Mapping[str, int], patterns: Sequence[PatternCount], other_images: Mapping[str, FailureKind] = MappingProxyType({})
) -> str:
    """Return all that was ignored, as part of a sentence; empty if nothing was."""
    parts = (_part(reason, count, patterns) for reason, count in sorted(ignored.items()) if count and reason != UNSUPPORTED)
    return ", ".join(filter(None, (*parts, kinds_text({kind: images.count for kind, images in other_images.items()}))))


def kinds_text(kinds: Mapping[str, int]) -> str:
    """Return the numbers of images by kind, the most frequent first: *3 JPEG 2000, 2 PSD*."""
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0])))


def pattern_warnings(patterns: Sequence[PatternCount]) -> Iterator[str]:
    """Yield a sentence about each pattern that matches no image."""
    for each in patterns:
        if not each.is_used:
            yield f"{_flag(each)} matches no image{_advice(each.pattern)}"


def _advice(pattern: str) -> str:
    if "{" in pattern:
        return ": { } are ordinary characters; repeat the option for each alternative"
    if "," in pattern:
        return ": a comma is an ordinary character; repeat the option for each pattern"
    if "/" in pattern.strip("!/"):
        return ": a pattern with a slash is relative to SRC, and * does not match a slash (**/ does)"
    return ""


def _part(reason: str, count: int, patterns: Sequence[PatternCount]) -> str:
    if reason == "excluded":
        return f"{plural(count, 'file')} excluded by {_excluding(patterns)}"
    if reason == "not-included":
        return f"{plural(count, 'image')} without a match for {_flags(patterns, 'include')}"
    return plural(count, NOUNS.get(reason, f"file ignored as {reason}"))


def _excluding(patterns: Sequence[PatternCount]) -> str:
    """Return the patterns that excluded files, the one with the most files first, each with its number if there are several."""
    exclude = [each for each in patterns if each.option == "exclude" and not each.pattern.startswith("!") and each.images]
    exclude.sort(key=lambda each: -each.images)
    if len(exclude) <= 1:
        return "".join(map(_flag, exclude))
    more = ", ..." if len(exclude) > MAX_NAMED else ""
    return ", ".join(f"{_flag(each)}: {each.images:,}" for each in exclude[:MAX_NAMED]) + more


def _flags(patterns: Sequence[PatternCount], option: str) -> str:
    flags = [_flag(each) for each in patterns if each.option == option]
    return ", ".join([*flags[:MAX_NAMED], *(["..."] if len(flags) > MAX_NAMED else [])])


def _flag(count: PatternCount) -> str:
    return f"--{count.option} {printable(shlex.quote(count.pattern))}"
