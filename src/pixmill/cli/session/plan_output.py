"""Prints what a run would do: the result of ``pixmill plan`` and of ``run --dry-run``."""

from collections.abc import Iterator

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.dry_run import DryRun, dry_run
from pixmill.batch.planning.plan import plan
from pixmill.batch.planning.selection import enabling_option
from pixmill.cli.console import Console
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.session.first_lines import labelled
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable

COLUMN = 15  # where the facts begin


def print_plan(config: RunConfig, console: Console, *, as_json: bool) -> int:
    """Survey the source as ``config`` asks and print what a run would do; write nothing else."""
    found = dry_run(plan(config))
    if as_json:
        console.record(dry_run_record(found))
    else:
        for line in dry_run_lines(found):
            console.result(line)
    return ExitCode.DONE


def dry_run_record(found: DryRun) -> dict[str, object]:
    """Return ``found`` as plain data."""
    examples = [{"source": source, "outputs": names} for source, names in found.examples]
    return {"found": found.found, **msgspec.structs.asdict(found), "examples": examples}


def dry_run_lines(found: DryRun) -> Iterator[str]:
    """Yield ``found`` as lines for people."""
    yield from labelled("makes", found.makes, COLUMN)
    yield f"found          {plural(found.found, 'image')}"
    yield f"to do          {plural(found.to_do, 'image')} ({byte_count(found.bytes_in)}), {plural(found.outputs, 'output')}"
    if found.unchanged:
        yield f"unchanged      {plural(found.unchanged, 'image')}, done by an earlier run"
    if found.failed_before:
        yield f"failed before  {plural(found.failed_before, 'image')}, not tried again (pixmill retry DST)"
    if found.renamed:
        yield f"renamed        {plural(found.renamed, 'image')}, because another one wants the same name"
    for reason, count in sorted(found.ignored.items()):
        yield f"ignored        {plural(count, 'file')}: {reason}{enabling_option(reason)}"
    if found.seconds is not None:
        yield f"time           about {duration_text(found.seconds)}, at the rate of the last run"
    for warning in found.warnings:
        yield f"warning        {printable(warning)}"
    for source, names in found.examples:
        yield f"  {printable(source)} -> {', '.join(map(printable, names))}"
    if found.to_do > len(found.examples):
        yield f"  ... and {found.to_do - len(found.examples):,} more"
