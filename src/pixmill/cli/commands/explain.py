"""``pixmill explain``: prints the reference, generated from the declarations."""

import inspect
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from pixmill.batch.config.options import Option
from pixmill.cli.args.parser import Argument
from pixmill.cli.command import Command, declared
from pixmill.cli.docs.layout import Layout, layout_of
from pixmill.cli.docs.markdown import write_reference
from pixmill.cli.docs.reference import Page, find, pages, suggestion, topics
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, CommonOutput
from pixmill.core.errors import ConfigError
from pixmill.core.model import Model
from pixmill.core.text import printable

CONTENTS_COLUMN, FACT_COLUMN, PARAMETER_COLUMN = 24, 14, 18  # where descriptions start


class WriteOption(Model, frozen=True, kw_only=True):
    """The folder for the reference as files."""

    write: Annotated[
        str | None, Meta(description="write the complete reference as Markdown to this folder", extra={"value": "FOLDER"})
    ] = None


class Explain(Command):
    """Explain an operation, format, option, or a code in an output.

    Without NAME, lists everything that can be explained.
    """

    arguments: ClassVar = (
        Argument("NAME", "operation, format, option, or code of an error or a note", required=False, choices=topics),
    )
    is_portable: ClassVar = True
    examples: ClassVar = (
        "pixmill explain resize",
        "pixmill explain webp",
        "pixmill explain on-collision",
        "pixmill explain timeout",
    )

    not_here: ClassVar = "to explain it, leave out the dashes: pixmill explain NAME"

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the common options, and the folder for the reference."""
        return {**declared(SHOW, CommonOutput), **declared("Documentation options", WriteOption)}

    def execute(self) -> int:
        """Print the pages about NAME, or the names of all pages."""
        folder = self.request.model(WriteOption).write
        if folder:
            write_reference(Path(folder))
            return ExitCode.DONE
        topic = "".join(self.request.arguments.get("NAME", ()))
        selected = find(topic) if topic else list(pages())
        if not selected:
            raise ConfigError(f"unknown topic '{printable(topic)}'{suggestion(topic)}", hint="pixmill explain lists all topics")
        if self.request.model(CommonOutput).json:
            for page in selected:
                self.console.record(msgspec.to_builtins(page))
        else:
            layout = layout_of(self.console.out, os.environ)
            text = "\n\n".join(_page(page, layout) for page in selected) if topic else _contents(selected, layout)
            self.console.result(text)
        return ExitCode.DONE


def _contents(all_pages: list[Page], layout: Layout) -> str:
    """Return the names and summaries of all pages, grouped by kind."""
    sections: list[str] = []
    for kind, members in groupby(all_pages, key=lambda page: page.kind):
        lines = (line for page in members for line in layout.entry(f"  {page.name}", _plain(page.summary), CONTENTS_COLUMN))
        sections.extend(layout.section(f"{kind.capitalize()}s", lines))
    return "\n\n".join(sections)


def _page(page: Page, layout: Layout) -> str:
    """Return one page for a terminal."""
    parts = [f"{layout.heading(page.name)} ({page.kind})", layout.fill(_plain(page.summary))]
    parts.extend(layout.fill(_plain(paragraph)) for paragraph in page.text.split("\n\n") if paragraph)
    if page.facts:
        facts = (layout.entry(f"  {label}", _plain(value), FACT_COLUMN) for label, value in page.facts)
        parts.append("\n".join(line for lines in facts for line in lines))
    parts.extend(layout.section("Parameters", _parameters(page, layout)))
    if page.example:
        line = f"Example: {page.example}"
        parts.extend([line] if len(line) <= layout.width else layout.section("Example", layout.command_line(page.example)))
    return "\n\n".join(parts)


def _parameters(page: Page, layout: Layout) -> Iterator[str]:
    for parameter in page.parameters:
        suffix = "; required" if parameter.default is None else f"; default: {parameter.default}" if parameter.default else ""
        description = _plain(parameter.description.rstrip("."))
        text = f"{description}: {parameter.accepts}{suffix}" if description else f"{parameter.accepts}{suffix}"
        yield from layout.entry(f"  {parameter.name}", text, PARAMETER_COLUMN)


def _plain(text: str) -> str:
    return inspect.cleandoc(text).replace("`", "")
