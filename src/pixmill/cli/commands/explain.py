"""``pixmill explain``: the reference, from the declarations."""

import inspect
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.docs.markdown import write_reference
from pixmill.cli.docs.reference import Page, find, pages, suggestion
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable

WIDTH = 80


class Writing(Model, frozen=True, kw_only=True):
    """The reference as files."""

    write: Annotated[str | None, Meta(description="write the whole reference as Markdown here", extra={"value": "FOLDER"})] = None


class Explain(Command):
    """Explain an operation, format, option or code of a failure.

    Without a name, list everything that can be explained.
    """

    arguments: ClassVar = (Argument("NAME", "operation, format, option or code", required=False),)
    examples: ClassVar = (
        "pixmill explain resize",
        "pixmill explain webp",
        "pixmill explain on-collision",
        "pixmill explain timeout",
    )

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return where to write, and what every command has."""
        return {**declared(SHOW, CommonOutput), **declared("To build the documentation", Writing)}

    def execute(self) -> int:
        """Print the pages that were asked for, or their names."""
        folder = self.request.model(Writing).write
        if folder:
            write_reference(Path(folder))
            return ExitCode.DONE
        topic = self.request.words.get("NAME", "")
        chosen = find(topic) if topic else list(pages())
        if not chosen:
            raise ConfigError(
                f"nothing is called '{printable(topic)}'{suggestion(topic)}", hint="pixmill explain lists what there is"
            )
        if self.request.model(CommonOutput).json:
            for page in chosen:
                self.console.record(msgspec.to_builtins(page))
        else:
            self.console.result("\n\n".join(_page(page) for page in chosen) if topic else _contents(chosen))
        return ExitCode.DONE


def _contents(everything: list[Page]) -> str:
    """Return the names of all pages with their summaries, kind by kind."""
    sections = []
    for kind, members in groupby(everything, key=lambda page: page.kind):
        lines = [line for page in members for line in _beside(f"  {page.name}", page.summary)]
        sections.append("\n".join([f"{kind.capitalize()}s:", *lines]))
    return "\n\n".join(sections)


def _page(page: Page) -> str:
    """Return one page for a terminal."""
    parts = [f"{page.name} ({page.kind})", textwrap.fill(_plain(page.summary), WIDTH)]
    parts.extend(textwrap.fill(_plain(paragraph), WIDTH) for paragraph in page.text.split("\n\n") if paragraph)
    if page.facts:
        parts.append("\n".join(line for label, value in page.facts for line in _beside(f"  {label}", value, column=14)))
    if page.parameters:
        parts.append("\n".join(["Parameters:", *_parameters(page)]))
    if page.example:
        parts.append(f"Example: {page.example}")
    return "\n\n".join(parts)


def _parameters(page: Page) -> Iterator[str]:
    for parameter in page.parameters:
        needed = "; must be given" if parameter.default is None else f"; default {parameter.default}" if parameter.default else ""
        description = _plain(parameter.description.rstrip("."))
        text = f"{description}: {parameter.accepts}{needed}" if description else f"{parameter.accepts}{needed}"
        yield from _beside(f"  {parameter.name}", text, column=18)


def _beside(name: str, text: str, column: int = 24) -> Iterator[str]:
    lines = textwrap.wrap(_plain(text), WIDTH - column) or [""]
    first = f"{name:{column}}{lines.pop(0)}" if len(name) < column else name
    yield first.rstrip()
    yield from (" " * column + line for line in lines)


def _plain(text: str) -> str:
    return inspect.cleandoc(text).replace("`", "")
