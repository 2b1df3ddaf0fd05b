"""Write the signatures of the Python API from the declarations of the options: what type checkers and ``help`` know of them.

Usage: ``python docs/signatures.py``. A test checks that they are current. Declared types are those of checked values; a
signature has the types that are accepted: text for a quantity, a table or text for a step, a list for a tuple.
"""

import builtins
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.batch.config.options import LIMIT, MAKE, Option, options
from pixmill.batch.config.pattern import Pattern
from pixmill.batch.config.shard import Shard, Splits
from pixmill.batch.config.time_zone import TimeZone
from pixmill.batch.naming.template import Template
from pixmill.core.model import Model, fields
from pixmill.core.units import CountOrPercent, Quantity, Size
from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.formats import Allowed
from pixmill.imaging.metadata.setting import Setting
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe, Rendition

SOURCE = Path(__file__).parents[1] / "src" / "pixmill"
IMAGE_KEYWORDS, KEYWORDS = SOURCE / "api" / "image_keywords.py", SOURCE / "api" / "keywords.py"
RECIPE = SOURCE / "imaging" / "recipe.py"
BEGIN, END = "# docs/signatures.py writes this signature of {}:", "# end of signature"
PATHS = {"state", "index"}
BUILTIN = "  # noqa: A002  # its name everywhere"
MAX_ARGUMENTS = 6  # of a function, in pyproject.toml
#: types that are accepted for a declared one
ACCEPTED: tuple[tuple[type, str], ...] = (
    (Quantity, "str | float"), (Size, "str | int"), (Shard, "str"), (Template, "str"), (TimeZone, "str"), (Pattern, "str"),
    (Colour, "Colour | str"), (CountOrPercent, "int | str"), (Operation, "StepLike"), (Codec, "CodecLike"),
    (Splits, "str | dict[str, float]"),
    (Allowed, "AllowLike"), (Setting, "str"),
)  # fmt: skip
IMAGE_HEAD = '''"""The keywords of ``process``, for type checkers and ``help``. Written by docs/signatures.py."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from pixmill.imaging.codec import CodecLike
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.formats import AllowLike
from pixmill.imaging.operation import StepLike
'''
HEAD = '''"""The keywords of ``run``, for type checkers and ``help``. Written by docs/signatures.py."""

import os
from collections.abc import Sequence
from typing import Literal

from pixmill.api.image_keywords import ImageOptions
'''


def accepted(kind: Any) -> str:  # noqa: ANN401  # any declared type
    """Return the source text of the type that is accepted for a value of ``kind``."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(part for member in get_args(kind) for part in accepted(member).split(" | ")))
    if get_origin(kind) is Literal:
        return "Literal[{}]".format(", ".join(f'"{value}"' for value in get_args(kind)))
    if get_origin(kind) is tuple:
        member = accepted(get_args(kind)[0])
        table = " | Mapping[str, object]" if hasattr(get_args(kind)[0], "from_table") else ""
        return (f"list[str] | tuple[str, ...]{table}") if member == "str" else f"Sequence[{member}]"
    for declared, text in ACCEPTED:
        if issubclass(kind, declared):
            return text
    if issubclass(kind, Model):
        return f"{kind.__name__} | Mapping[str, object]"
    return "None" if kind is type(None) else kind.__name__


def accepted_by(option: Option) -> str:
    """Return the source text of the type that the keyword for ``option`` accepts."""
    text = accepted(option.field.type)
    return text.replace("str", "str | os.PathLike[str]") if option.name in PATHS else text


def image_keywords() -> str:
    """Return the text of ``api/image_keywords.py``."""
    summary = "How to process an image: keywords of ``process`` and ``run``."
    return "\n\n".join([IMAGE_HEAD, "\n".join(_class("ImageOptions", "TypedDict", summary, _of_images()))])


def keywords() -> str:
    """Return the text of ``api/keywords.py``."""
    run = {name: option for name, option in options().items() if name not in _of_images()}
    summary = "All options of a run: keywords of ``run`` and ``open_run``."
    return "\n\n".join([HEAD, "\n".join(_class("RunOptions", "ImageOptions", summary, run))])


def _of_images() -> dict[str, Option]:
    return {name: option for name, option in options().items() if option.group in (MAKE, LIMIT)}


def _class(name: str, base: str, summary: str, declared: Mapping[str, Option]) -> Iterator[str]:
    others = {other: (alias.option, alias.is_switch) for other, alias in ALIASES.items() if alias.option in declared}
    always = {} if base == "TypedDict" else {other: answer for other, answer in ALWAYS_ON.items() if not iskeyword(other)}
    yield f"class {name}({base}, total=False):"
    yield f'    """{summary}'
    yield ""
    for option in declared.values():
        yield from _wrapped(f"{option.name}: {option.description}")
    for other, (option_name, _) in others.items():
        yield from _wrapped(f"{other}: another name for {option_name}")
    for other, answer in always.items():
        yield from _wrapped(f"{other}: changes nothing: {answer}")
    yield '    """'
    yield ""
    for option in declared.values():
        yield f"    {option.name}: {accepted_by(option)}"
    for other, (option_name, is_switch) in others.items():
        plain = "float | str" if ALIASES[other].write else accepted_by(declared[option_name])
        yield f"    {other}: {'bool' if is_switch else plain}"
    for other in always:
        yield f"    {other}: Literal[True]"
    yield ""


def _wrapped(text: str) -> Iterable[str]:
    return textwrap.wrap(text, 128, initial_indent="    ", subsequent_indent="        ", break_on_hyphens=False)


def recipe() -> str:
    """Return the text of ``imaging/recipe.py`` with the current signatures."""
    text = RECIPE.read_text()
    for model in (Rendition, Recipe):
        begin = BEGIN.format(model.__name__)
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(END)
        if not found or not found_end:
            message = f"{RECIPE.name} has no place for the signature: a line {begin}, then a line {END}"
            raise SystemExit(message)
        text = f"{before}{begin}\n{_signature(model)}        {END}{after}"
    return text


def _signature(model: type[Model]) -> str:
    parameters = "".join(
        f"            {field.name}: {accepted(field.type)} = ...,{BUILTIN if hasattr(builtins, field.name) else ''}\n"
        for field in fields(model)
    )
    reasons = "D107, PLR0913" if len(fields(model)) > MAX_ARGUMENTS else "D107"
    head = f"        def __init__(  # noqa: {reasons}  # the fields\n            self,\n            *,\n"
    return f"{head}{parameters}        ) -> None: ...\n\n"


if __name__ == "__main__":
    for path, text in ((IMAGE_KEYWORDS, image_keywords()), (KEYWORDS, keywords()), (RECIPE, recipe())):
        path.write_text(text)
        print(f"wrote {path}")
