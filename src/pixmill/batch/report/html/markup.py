"""HTML that cannot be injected into: text is escaped where it becomes markup, and there is no other way in."""

from collections.abc import Iterable
from html import escape

from pixmill.core.text import printable

LONGEST = 240  # characters of a name or message that are shown

VOID = frozenset({"input", "img", "meta", "link", "br", "hr"})


class Html(str):
    """Markup. Made by ``tag`` and ``raw`` only; any other text is escaped when it becomes a child."""

    __slots__ = ()


def raw(text: str) -> Html:
    """Return markup of our own making as it is: an asset, never anything that a file, a name or a person gave."""
    return Html(text)


def tag(name: str, /, *children: object, **attributes: str | float | bool | None) -> Html:
    """Return the element ``name`` with ``children`` (text, numbers, markup, or lists of these; ``None`` is nothing).

    An attribute is written with dashes for underscores (``class_`` is ``class``), bare when ``True``, not at all when ``None``
    or ``False``.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Return ``children`` one after the other."""
    return Html("".join(map(_child, children)))


def safe_text(name: bytes | str) -> str:
    """Return a name or message for people: one line, nothing invisible, its middle left out when it is long."""
    shown = printable(name)
    half = LONGEST // 2
    return shown if len(shown) <= LONGEST else f"{shown[:half]} ... {shown[-half:]}"


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
