"""``Pattern``: a pattern of ``--include`` and ``--exclude``, by the rules of .gitignore, with upper and lower case the same."""

import re
import unicodedata
from typing import ClassVar, Self

import msgspec

_POSIX_CLASSES = {
    "alnum": r"^\W_", "alpha": r"^\W\d_", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9", "graph": r"!-~",
    "lower": "a-z", "print": r" -~", "punct": r"!-/:-@\[-`{-~", "space": r"\s", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*{2,}/)|(?P<everything>(?:^|(?<=/))\*{2,}$)|(?P<any>\*+)|(?P<one>\?)|\\(?P<escaped>.)"
    r"|\[(?P<not>[!^]?)(?P<members>\]?(?:\\.|\[:\w*:\]|[^]\\])*)\]|(?P<unclosed>\[)|(?P<dangling>\\$)|(?P<literal>.)",
    re.DOTALL,
)
_MEMBER = re.compile(r"\[:(?P<posix>\w*):\]|\\?(?P<low>.)(?:-\\?(?P<high>.))?", re.DOTALL)


class PatternCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a pattern of ``option`` (``include``, ``exclude``) was used.

    ``images`` counts those that it decided about: taken by ``include``, left out by ``exclude``, the other way round with ``!``.
    ``is_used`` tells whether it matches any image; another pattern may have decided.
    """

    option: str
    pattern: str
    images: int
    is_used: bool


class Pattern:
    """One pattern, such as ``*.png``, ``raw/`` or ``!2024/**/best``; matches text, in which ``os.fsdecode`` preserves all bytes.

    The text must be ``composed``.
    """

    __slots__ = ("_is_on_name", "_needs_folder", "_regex", "is_negated", "text")
    may_hold_commas: ClassVar = True
    expected: ClassVar[str] = "a pattern as in .gitignore, such as *.png or raw/"

    def __init__(self, text: str) -> None:
        r"""Compile ``text``; ``ValueError`` when it can match nothing: it is empty, or a ``[`` or ``\`` is incomplete."""
        self.text = text
        self.is_negated = text.startswith("!")
        body = composed(text).removeprefix("!")
        self._needs_folder = body.endswith("/")
        body = body.removesuffix("/")
        self._is_on_name = "/" not in body
        self._regex = re.compile(_translated(body.removeprefix("/")), re.DOTALL | re.IGNORECASE)

    def matches(self, path: str, name: str, *, is_folder: bool) -> bool:
        """Tell whether this is a pattern for the file or folder ``path``, whose last part is ``name``; ``!`` is not considered."""
        if self._needs_folder and not is_folder:
            return False
        return self._regex.fullmatch(name if self._is_on_name else path) is not None

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse text; ``ValueError`` when it is no pattern."""
        if not isinstance(value, str):
            raise ValueError(cls.expected)  # noqa: TRY004  # the reason that the validation of models expects
        return cls(value)

    def to_builtin(self) -> str:
        """Return the text."""
        return self.text

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def __eq__(self, other: object) -> bool:
        """Compare by text."""
        return isinstance(other, Pattern) and self.text == other.text

    def __hash__(self) -> int:
        """Hash by text."""
        return hash(self.text)


def composed(text: str) -> str:
    """Return ``text`` with each letter as one character (NFC), as it is typed; macOS stores an accent after its letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _translated(body: str) -> str:
    """Return the regular expression for ``body``; ``*``, ``?`` and ``[...]`` never match a slash."""
    if not body:
        raise ValueError(Pattern.expected)
    return "".join(map(_translated_token, _TOKEN.finditer(body)))


def _translated_token(token: re.Match[str]) -> str:
    kind, part = token.lastgroup, token[token.lastgroup or 0]
    if kind == "folders":
        return "(?:.*/)?"
    if kind in ("everything", "any", "one"):
        return {"everything": ".*", "any": "[^/]*", "one": "[^/]"}[kind]
    if kind == "members":
        return _translated_class(part, is_negated=bool(token["not"]))
    if kind == "unclosed":
        raise ValueError(r"a pattern whose [ has a ] (\[ is the character itself)")
    if kind == "dangling":
        raise ValueError(r"a pattern that does not end with one \ (\\ is the character itself)")
    return re.escape(part)


def _translated_class(members: str, *, is_negated: bool) -> str:
    r"""Return the regular expression for ``[members]``: a choice, because a ``\W`` cannot be negated inside a class."""
    choices = []
    for member in _MEMBER.finditer(members):
        low, high = member["low"], member["high"]
        if member["posix"] is not None and member["posix"] not in _POSIX_CLASSES:
            raise ValueError(f"a pattern with one of the classes [:{':], [:'.join(_POSIX_CLASSES)}:]")
        if member["posix"] is not None:
            choices.append(f"[{_POSIX_CLASSES[member['posix']]}]")
        elif high is None:
            choices.append(re.escape(low))
        elif low <= high:
            choices.append(f"[{re.escape(low)}-{re.escape(high)}]")
    choice = "|".join(choices) or "(?!)"
    return f"(?!{choice})[^/]" if is_negated else f"(?!/)(?:{choice})"
