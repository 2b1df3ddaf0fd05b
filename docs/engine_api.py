"""Write the program and the reference into docs/engine.md: every public name of ``pixmill.engine``, from its docstring.

Usage: ``python docs/engine_api.py``. A test checks that the page is current.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import python_api

from pixmill import engine

PAGE = Path(__file__).with_name("engine.md")
PROGRAM = Path(__file__).parents[1] / "examples" / "line_counts.py"
GROUPS = {
    "Running": ("open_run", "run", "Run"),
    "Tasks and outcomes": ("Task", "Done", "Failed", "Skipped", "Outcome", "Failure", "Counts"),
    "Handlers": ("Handler", "HandlerRef", "Stages"),
    "Ledger": ("Ledger", "SqliteLedger", "Record", "State"),
    "Policy": ("Policy",),
    "Observers": ("Observer", "Event", "TaskFinished", "TaskRetried"),
    "Executors": ("Executor",),
}
PARTS = re.compile(r"(<!-- (program|reference): docs/engine_api.py writes it -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def page() -> str:
    """Return the text of the page, its written parts as they are now."""
    named = {name for names in GROUPS.values() for name in names}
    if named != set(engine.__all__):
        message = f"GROUPS and pixmill.engine.__all__ differ: {sorted(named.symmetric_difference(engine.__all__))}"
        raise SystemExit(message)
    parts = {"program": f"```python\n{PROGRAM.read_text('utf-8')}```\n", "reference": "\n".join(reference())}
    return PARTS.sub(lambda match: f"{match[1]}\n{parts[match[2]]}\n{match[3]}", PAGE.read_text("utf-8"))


def reference() -> Iterator[str]:
    """Yield the lines of the reference."""
    for group, names in GROUPS.items():
        yield f"### {group}\n"
        for name in names:
            yield from entry(name, getattr(engine, name))


def entry(name: str, value: object) -> Iterator[str]:
    """Yield the lines about one name: signature, docstring, fields and methods."""
    yield f"#### {name}\n"
    if inspect.isfunction(value):
        signature = re.sub(r"<function .*?>", "...", python_api.signature(name, value)).replace("= b,", '= b"",')
        yield f"```text\n{signature}\n```\n"
    if not inspect.isclass(value):
        yield from (
            paragraphs(value) if inspect.isfunction(value) else (f"`{' | '.join(each.__name__ for each in value.__args__)}`\n",)
        )
        return
    yield from paragraphs(value)
    if fields := list(fields_of(value)):
        yield f"Fields: {', '.join(fields)}.\n"
    if methods := list(methods_of(value)):
        yield "| method | |\n| --- | --- |"
        yield from methods
        yield ""


def fields_of(kind: type) -> Iterator[str]:
    """Yield the fields of a record, with their defaults; the members of an enumeration."""
    if issubclass(kind, engine.State):
        yield from (f"`{member.name}`" for member in engine.State)
        return
    for field in inspect.signature(kind).parameters.values() if issubclass(kind, msgspec.Struct) else ():
        plain = field.default is inspect.Parameter.empty or not isinstance(field.default, int | float | str | bytes | type(None))
        yield f"`{field.name}`" if plain else f"`{field.name}={field.default!r}`"


def methods_of(kind: type) -> Iterator[str]:
    """Yield a row for each public method of its own or of a base in the package."""
    seen = set[str]()
    for base in kind.__mro__:
        if not base.__module__.startswith("pixmill.") or base.__name__ == "Model":
            continue
        for name, member in vars(base).items():
            function = inspect.unwrap(getattr(member, "__func__", member) or member)
            if name.startswith("_") or name in seen or not (inspect.isfunction(function) or isinstance(member, property)):
                continue
            seen.add(name)
            yield f"| `{name}` | {python_api.cell(' '.join((inspect.getdoc(member) or '').split()))} |"


def paragraphs(value: object) -> Iterator[str]:
    """Yield the paragraphs of a docstring as Markdown."""
    for paragraph in (inspect.getdoc(value) or "").split("\n\n"):
        yield python_api.markdown(paragraph) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE}")
