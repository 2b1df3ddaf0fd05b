"""Prints the plan of a run, for ``pixmill plan`` and ``run --dry-run``."""

from collections.abc import Iterator

import msgspec

from pixmill.batch.config.hints import command_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.dry_run import DryRun, dry_run
from pixmill.batch.planning.empty_source import no_images
from pixmill.batch.planning.ignored import UNSUPPORTED, kinds_text, remark_on
from pixmill.batch.planning.plan import plan
from pixmill.cli.console import Console
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.session.first_lines import labelled
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable

LABEL_WIDTH = 15
EXAMPLES = 3


def print_plan(config: RunConfig, console: Console, *, as_json: bool) -> int:
    """Print what a run of ``config`` would do; write no file. Raises ``ConfigError`` when there are no images."""
    console.waits.begin(lambda: f"opening {config.source_text}")
    run_plan = plan(config)
    console.waits.begin(run_plan.listing_notice)
    result = dry_run(run_plan)
    console.waits.end()
    if as_json:
        console.record(dry_run_record(result))
    else:
        arguments = command_arguments(config.destination, config.placement.state)
        for line in dry_run_lines(result, arguments, on_upgrade=config.on_upgrade):
            console.result(line)
    if not run_plan.candidates:
        raise no_images(run_plan)
    return ExitCode.DONE


def dry_run_record(result: DryRun) -> dict[str, object]:
    """Return ``result`` as plain data for JSON."""
    examples = [{"source": source, "outputs": names} for source, names in result.examples]
    return {"found": result.found, **msgspec.structs.asdict(result), "examples": examples}


def _finished_lines(result: DryRun, on_upgrade: str) -> Iterator[str]:
    """Yield the lines about images that an earlier run finished."""
    if result.unchanged:
        yield f"unchanged      {plural(result.unchanged, 'image')} since an earlier run"
    if result.to_compare:
        yield f"to compare     {plural(result.to_compare, 'image')}: whether the content has changed"
    yield from _changed(result)
    if result.older:
        consequence = "made again" if on_upgrade == "remake" else "kept (to make them again: --on-upgrade remake)"
        yield f"older          {plural(sum(result.older.values()), 'image')} made with {'; '.join(result.older)}: {consequence}"


def _changed(result: DryRun) -> Iterator[str]:
    if result.output_changed:
        examples = ", ".join(map(printable, result.changed_examples[:EXAMPLES]))
        more = ", ..." if result.output_changed > EXAMPLES else ""
        yield f"output changed {plural(result.output_changed, 'image')}, left alone (use --existing replace): {examples}{more}"


def _names(result: DryRun) -> Iterator[str]:
    if result.late_names:
        yield f"named later    {plural(result.late_names, 'output')}, when the images are read"
    if result.renamed:
        yield f"renamed        {plural(result.renamed, 'image')} to avoid a name collision"


def dry_run_lines(result: DryRun, arguments: str, *, on_upgrade: str) -> Iterator[str]:
    """Yield ``result`` as lines of text. ``arguments`` are those that name the output to a command."""
    yield from labelled("makes", result.makes, LABEL_WIDTH)
    yield f"found          {plural(result.found, 'image')}"
    yield f"to do          {plural(result.to_do, 'image')} ({byte_count(result.bytes_in)}), {plural(result.outputs, 'output')}"
    yield from _finished_lines(result, on_upgrade)
    if result.failed_before:
        yield f"failed before  {plural(result.failed_before, 'image')}, not retried (use pixmill retry {arguments})"
    if result.rejected:
        yield f"rejected       {plural(result.rejected, 'image')} before (see pixmill rejected {arguments})"
    yield from _names(result)
    for extra, count in sorted(result.missing_extras.items()):
        yield f"will fail      {plural(count, 'image')} without the extra '{extra}': pip install 'pixmill[{extra}]'"
    for reason, count in sorted(result.ignored.items()):
        kinds = kinds_text({kind: images.count for kind, images in result.other_images.items()}) if reason == UNSUPPORTED else ""
        remark = f" ({kinds})" if kinds else remark_on(reason, result.patterns)
        yield f"ignored        {plural(count, 'file')}: {reason}{remark}"
    if result.seconds is not None:
        yield f"time           about {duration_text(result.seconds)}, going by the images that are done"
    for warning in result.warnings:
        yield f"warning        {printable(warning)}"
    for source, names in result.examples:
        yield f"  {printable(source)} -> {', '.join(map(printable, names))}"
    if result.to_do > len(result.examples):
        yield f"  ... and {result.to_do - len(result.examples):,} more"
