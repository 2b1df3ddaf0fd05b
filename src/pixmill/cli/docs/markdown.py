"""Writes the reference as Markdown, and the schema beside it: ``docs/reference``."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pixmill.cli.docs.event_schema import event_schema
from pixmill.cli.docs.recipe_schema import recipe_schema
from pixmill.cli.docs.reference import Page, pages

HEADS = {
    "operation": "Operations\n\nThe steps of a recipe: `--step NAME:key=value,...`, or a table in `steps` of a recipe file.",
    "format": "Formats\n\nWhat is read, and what `--format` writes. A file's content decides what it is, never its name.",
    "option": "Options\n\nEach one is a flag, a variable, and of `run` and `plan` a line of the file of `--config`.",
    "error": "Errors\n\nThe codes of failures and errors.",
}


def write_reference(folder: Path) -> None:
    """Write one Markdown file a kind, and the schemas of recipes and of events, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_files().items():
        (folder / name).write_text(text, "utf-8")


def reference_files() -> dict[str, str]:
    """Return the text of every file of the reference by its name."""
    everything = list(pages())
    files = {f"{kind}s.md": _file(head, [page for page in everything if page.kind == kind]) for kind, head in HEADS.items()}
    schemas = {"recipe.schema.json": recipe_schema(), "events.schema.json": event_schema()}
    return {**files, **{name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}}


def _file(head: str, members: list[Page]) -> str:
    note = "<!-- Written by `pixmill explain --write docs/reference` from the declarations. -->"
    has_sections = any(page.parameters for page in members)
    body = ["\n\n".join(_section(page)) for page in members] if has_sections else [_table(members)]
    return "\n\n".join([f"# {head}", note, *body]) + "\n"


def _table(members: list[Page]) -> str:
    """Return pages that are no more than facts as the rows of one table."""
    labels = [label for label, _ in Counter(label for page in members for label, _ in page.facts).most_common()]
    rows = [
        [f"`{page.name}`", _cell(page.summary), *(_cell(dict(page.facts).get(label, "")) for label in labels)] for page in members
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [["", "", *labels], ["---"] * (len(labels) + 2), *rows])


def _section(page: Page) -> Iterator[str]:
    yield f"## {page.name}"
    yield page.summary.replace("``", "`")
    if page.text:
        yield page.text.replace("``", "`")
    if page.facts:
        yield "\n".join(f"- {label}: {_cell(value)}" for label, value in page.facts)
    if page.parameters:
        rows = [
            f"| `{each.name}` | {_cell(each.accepts)} | {_default(each.default)} | {_cell(each.description)} |"
            for each in page.parameters
        ]
        yield "\n".join(["| parameter | accepts | default | |", "| --- | --- | --- | --- |", *rows])
    if page.example:
        yield f"```sh\n{page.example}\n```"


def _default(text: str | None) -> str:
    return "must be given" if text is None else f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")
