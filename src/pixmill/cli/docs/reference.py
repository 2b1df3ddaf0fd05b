"""The reference: every operation, format, error and option, read from where it is declared."""

import inspect
from collections.abc import Iterator, Sequence

import msgspec

from pixmill.batch.config.options import Option
from pixmill.cli.args.layers import variable
from pixmill.cli.args.parser import flag
from pixmill.cli.args.values import default_text, describe_type
from pixmill.cli.command import commands, every_option
from pixmill.core.errors import PixmillError
from pixmill.core.model import Model, describe_field, fields
from pixmill.core.validation import did_you_mean
from pixmill.core.variant import Variant
from pixmill.imaging.codec import Codec
from pixmill.imaging.format import Format
from pixmill.imaging.formats import by_extension
from pixmill.imaging.operation import Operation

KINDS = ("operation", "format", "option", "error")


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: its name, what it accepts in words, its default as text (``None``: it must be given), what it does."""

    name: str
    accepts: str
    default: str | None
    description: str


class Page(msgspec.Struct, frozen=True):
    """One entry of the reference. ``facts`` are short pairs of a label and a value; ``text`` goes on where ``summary`` ends."""

    kind: str
    name: str
    summary: str
    text: str = ""
    example: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    parameters: tuple[Parameter, ...] = ()


def pages() -> Iterator[Page]:
    """Yield the whole reference, kind by kind."""
    for _, operation in Operation.registry:
        yield _variant("operation", operation)
    for _, codec in Codec.registry:
        yield _variant("format", codec, _facts(codec.format))
    takers = {name: set(command.options()) for name, command in commands}
    for option in every_option().values():
        yield _option(option, [name for name, taken in takers.items() if option.name in taken])
    for error in _family(PixmillError):
        yield from _errors(error)


def find(topic: str) -> list[Page]:
    """Return the pages about ``topic``: a name, a flag, a variable, or an extension of a format."""
    name = _plain(topic.removeprefix("PIXMILL_"))
    found = [page for page in pages() if _plain(page.name) == name]
    known = None if found else by_extension(topic)
    return found if known is None else [page for page in pages() if (page.kind, page.name) == ("format", known.name)]


def suggestion(topic: str) -> str:
    """Return ``; did you mean '...'?`` for a topic that there is no page about."""
    return did_you_mean(_plain(topic), [_plain(page.name) for page in pages()])


def _plain(name: str) -> str:
    """Return ``name`` as flag, variable and Python have in common."""
    return name.lower().lstrip("-").replace("_", "-")


def _variant(kind: str, member: type[Variant], facts: tuple[tuple[str, str], ...] = ()) -> Page:
    summary, text, example = _prose(member)
    name = str(member.__struct_config__.tag)
    return Page(kind, name, summary, text, example, facts, tuple(parameters(member)))


def parameters(model: type[Model]) -> Iterator[Parameter]:
    """Yield the parameters that ``model`` declares."""
    for field in fields(model):
        default = None if field.required else default_text(field)
        yield Parameter(field.encode_name, describe_type(field.type), default, describe_field(field))


def _facts(known: Format) -> tuple[tuple[str, str], ...]:
    written = [
        "alpha" if known.alpha else "no transparency",
        "animation" if known.animation else "one frame",
        " or ".join(map(str, known.depths)) + " bits a channel",
        f"up to {known.max_side:,} pixels a side",
    ]
    extra = (("needs", f"pip install 'pixmill[{known.extra}]'"),) if known.extra else ()
    asked = (("read", "only where the recipe allows it"),) if known.opt_in else ()
    return (
        ("extensions", ", ".join(known.extensions)),
        ("type", known.mime),
        *extra,
        *asked,
        ("written", ", ".join(written) if known.writable else "no, only read"),
    )


def _option(option: Option, takers: Sequence[str]) -> Page:
    default = default_text(option.field)
    facts = (
        ("accepts", describe_type(option.field.type)),
        *((("default", default),) if default else ()),
        ("variable", variable(option.name)),
        ("commands", ", ".join(takers)),
    )
    return Page("option", flag(option.name), option.description, facts=facts)


def _family(error: type[PixmillError]) -> Iterator[type[PixmillError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)


def _errors(error: type[PixmillError]) -> Iterator[Page]:
    """Yield the page of ``error``, and one for each of its narrower codes."""
    summary, text, _ = _prose(error)
    facts = (("class", error.__name__), ("exit code", str(error.exit_code)))
    yield Page("error", error.code, summary, text, facts=facts)
    for code, meaning in vars(error).get("codes", {}).items():
        yield Page("error", code, f"{meaning[0].upper()}{meaning[1:]}.", facts=(("a kind of", error.code), *facts))


def _prose(documented: type) -> tuple[str, str, str]:
    """Return the summary, the text and the example of a docstring."""
    paragraphs: Sequence[str] = [" ".join(part.split()) for part in inspect.cleandoc(documented.__doc__ or "").split("\n\n")]
    text = [paragraph for paragraph in paragraphs[1:] if not paragraph.startswith("Example:")]
    examples = [paragraph.removeprefix("Example:").strip() for paragraph in paragraphs if paragraph.startswith("Example:")]
    return paragraphs[0], "\n\n".join(text), examples[0].strip("`") if examples else ""
