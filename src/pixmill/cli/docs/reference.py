"""The reference: every operation, format, option, error, other code and table, generated from its declaration."""

import inspect
from collections.abc import Iterator, Sequence
from typing import get_args, get_origin

import msgspec

from pixmill.batch.config import presets
from pixmill.batch.config.options import Option
from pixmill.batch.planning.recipe_summary import recipe_summary
from pixmill.cli.args.layers import variable
from pixmill.cli.args.parser import flag
from pixmill.cli.args.values import default_text, describe_type
from pixmill.cli.command import commands, every_option
from pixmill.cli.docs import metadata_table, variables_table
from pixmill.cli.docs.codes import NOTES, REASONS
from pixmill.core.errors import PixmillError
from pixmill.core.model import Model, describe_field, fields
from pixmill.core.suggestion import did_you_mean
from pixmill.core.variant import Variant
from pixmill.imaging.codec import Codec
from pixmill.imaging.format import Format
from pixmill.imaging.formats import by_extension
from pixmill.imaging.operation import Operation

#: What profiles of a colour space are for, by the space's name in their header; and a side that no image has.
PROFILE_NAMES = {b"RGB ": "RGB", b"GRAY": "gray", b"CMYK": "CMYK", b"Lab ": "Lab"}
ANY_SIDE = 2**30


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: its name, the accepted values in words, its default as text (``None``: required), its description."""

    name: str
    accepts: str
    default: str | None
    description: str


class Page(msgspec.Struct, frozen=True):
    """One entry of the reference. ``facts`` are short pairs of a label and a value; ``text`` continues the ``summary``."""

    kind: str
    name: str
    summary: str
    text: str = ""
    example: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    parameters: tuple[Parameter, ...] = ()


def pages() -> Iterator[Page]:
    """Yield all pages of the reference, grouped by kind."""
    for _, operation in Operation.registry:
        yield _variant("operation", operation)
    for _, codec in Codec.registry:
        yield _variant("format", codec, () if codec.follows_source else _facts(codec))
    yield from map(_preset, presets.NAMES)
    options_by_command = {name: set(command.options()) for name, command in commands}
    for option in every_option().values():
        yield _option(option, [command for command, names in options_by_command.items() if option.name in names])
    for error in _family(PixmillError):
        yield from _errors(error)
    for code, meaning in NOTES.items():
        yield Page("note", code, _sentence(meaning))
    for where, meanings in REASONS.items():
        for code, meaning in meanings.items():
            yield Page("reason", code, _sentence(meaning), facts=(("says", where),))
    yield Page("table", "metadata", metadata_table.SUMMARY, metadata_table.TEXT, facts=tuple(metadata_table.facts()))
    yield Page("table", "variables", variables_table.SUMMARY, variables_table.TEXT, facts=tuple(variables_table.facts()))


def find(topic: str) -> list[Page]:
    """Return the pages about ``topic``: a name, a flag, an environment variable, or a file extension of a format."""
    name = _normalised(topic.removeprefix("PIXMILL_"))
    matches = [page for page in pages() if _normalised(page.name) == name or (page.kind == "preset" and name == "presets")]
    format_ = None if matches else by_extension(topic)
    return matches if format_ is None else [page for page in pages() if (page.kind, page.name) == ("format", format_.name)]


def suggestion(topic: str) -> str:
    """Return ``; did you mean '...'?`` for a topic without a page."""
    return did_you_mean(_normalised(topic), [_normalised(page.name) for page in pages()])


def _preset(name: presets.Preset) -> Page:
    known = presets.describe(name)
    makes = "; ".join(recipe_summary(presets.recipe_of(name)))
    facts = (("makes", makes), ("measured", known.figures), ("recipe", " ".join(known.toml.split())))
    return Page("preset", name, known.audience, example=f"pixmill run photos out --preset {name}", facts=facts)


def _normalised(name: str) -> str:
    """Return ``name`` in the form shared by flags, environment variables and Python names."""
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


def _facts(codec: type[Codec]) -> tuple[tuple[str, str], ...]:
    format_ = codec.format
    written = [
        "alpha" if format_.alpha else "no transparency",
        "animation" if format_.animation else "one frame",
        " or ".join(map(str, format_.depths)) + " bits per channel",
        f"up to {format_.max_side:,} pixels per side",
    ]
    needs = "writing needs" if format_.reads_without_extra else "needs"
    extra = ((needs, f"pip install 'pixmill[{format_.extra}]'"),) if format_.extra else ()
    opt_in = (("read", f"only with --allow {format_.name}"),) if format_.opt_in else ()
    return (
        ("extensions", ", ".join(format_.extensions)),
        ("type", format_.mime),
        *extra,
        *opt_in,
        ("written", ", ".join(written) if format_.writable else "no (read-only)"),
        ("library", format_.library),
    )


#: The columns of the overview of formats.
FORMAT_COLUMNS = (
    "format", "read", "written", "animated", "alpha", "bits per channel", "profiles", "metadata", "longest side",
    "install", "library",
)  # fmt: skip


def format_rows() -> Iterator[tuple[str, ...]]:
    """Yield the row of each format in the overview: what its record and its container of metadata say about outputs."""
    for _, codec in Codec.registry:
        if not codec.follows_source:
            yield _format_row(codec)


def _format_row(codec: type[Codec]) -> tuple[str, ...]:
    known = codec.format
    spaces = [PROFILE_NAMES[space] for space in known.profiles] if known.writable else []
    kinds = sorted(codec.container.holds) if codec.container is not None and known.writable else []
    return (
        known.label,
        f"with `--allow {known.name}`" if known.opt_in else "yes",
        "yes" if known.writable else "no",
        "yes" if known.animation else "first frame" if known.pages == "frames" else "first page",
        "yes" if known.alpha else "no",
        " or ".join(map(str, known.depths)) if known.writable else "",
        ", ".join(spaces),
        ", ".join(kinds),
        f"{known.max_side:,}" if known.writable and known.max_side < ANY_SIDE else "",
        _install(known),
        known.library,
    )


def _install(known: Format) -> str:
    """Return whether a plain install has the format, or else the extra that it needs."""
    if not known.extra:
        return "plain"
    return f"plain to read, `{known.extra}` to write" if known.reads_without_extra else f"`{known.extra}`"


def _option(option: Option, command_names: Sequence[str]) -> Page:
    default = default_text(option.field)
    facts = (
        ("accepts", describe_type(option.field.type)),
        *((("default", default),) if default else ()),
        ("commands", ", ".join(command_names)),
        ("variable", variable(option.name)),
    )
    kind = getattr(option.field.type, "__origin__", None)  # that of an ``Annotated``
    kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
    _, text, example = _prose(kind) if kind and getattr(kind, "is_explained", False) else ("", "", "")
    return Page("option", flag(option.name), option.description, text, example, facts=facts)


def _family(error: type[PixmillError]) -> Iterator[type[PixmillError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)


def _errors(error: type[PixmillError]) -> Iterator[Page]:
    """Yield the page of ``error``, and a page for each of its subcodes."""
    summary, text, _ = _prose(error)
    facts = (("class", error.__name__), ("exit code", str(error.exit_code)))
    yield Page("error", error.code, summary, text, facts=facts)
    for code, meaning in vars(error).get("codes", {}).items():
        yield Page("error", code, _sentence(meaning), facts=(("subcode of", error.code), *facts))


def _sentence(meaning: str) -> str:
    return f"{meaning[0].upper()}{meaning[1:]}."


def _prose(documented: type) -> tuple[str, str, str]:
    """Return the summary, text and example of a docstring."""
    paragraphs: Sequence[str] = [" ".join(part.split()) for part in inspect.cleandoc(documented.__doc__ or "").split("\n\n")]
    text = [paragraph for paragraph in paragraphs[1:] if not paragraph.startswith("Example:")]
    examples = [paragraph.removeprefix("Example:").strip() for paragraph in paragraphs if paragraph.startswith("Example:")]
    return paragraphs[0], "\n\n".join(text), examples[0].strip("`") if examples else ""
