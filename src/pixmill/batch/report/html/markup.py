"""HTML that is safe from injection: all text is escaped when it becomes markup."""

from collections.abc import Iterable
from html import escape

from pixmill.core.text import printable

MAX_TEXT_LENGTH = 240  # characters text of a name or message

VOID = frozenset({"input", "img", "meta", "link", "br", "hr"})


class Html(str):
    """Markup. Created by ``tag`` and ``raw`` only; any other text is escaped when it becomes a child."""

    __slots__ = ()


def raw(text: str) -> Html:
    """Return trusted markup unchanged: one of pixmill's assets, never data from files, file names or users."""
    return Html(text)


def tag(name: str, /, *children: object, **attributes: str | float | bool | None) -> Html:
    """Return the element ``name`` with ``children`` (text, numbers, markup, or lists of these; ``None`` is omitted).

    Underscores in attribute names become dashes (``class_`` is ``class``). An attribute that is ``True`` has no value; one that
    is ``None`` or ``False`` is omitted.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Return the concatenated ``children``."""
    return Html("".join(map(_child, children)))


def safe_text(name: bytes | str) -> str:
    """Return a name or message for display: on one line, without invisible characters, shortened in the middle if it is long."""
    text = printable(name)
    half = MAX_TEXT_LENGTH // 2
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[:half]} ... {text[-half:]}"


def _child(child: object) -> str:
    if isinstance(child, Html):
        return child
    if child is None:
        return ""
    if isinstance(child, str | int | float):
        return escape(str(child))
    if isinstance(child, Iterable):
        return join(child)
    raise TypeError(f"expected text, a number, markup or a list of these, received {type(child).__name__}")


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001  # true, false or a value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
