"""The result of ``--sample``: what was seen, what the whole run will probably take, and the commands to go on with."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from pixmill.batch.config.hints import Hints
from pixmill.batch.report.extrapolation import Estimate, SampleReport
from pixmill.batch.report.summary import Report
from pixmill.cli.options.output import RunOutput
from pixmill.cli.session.summary import MARGIN, results
from pixmill.core.errors import ConfigError
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.storage.address import Address

OPTION, VARIABLE = "--sample", "PIXMILL_SAMPLE"


def check_sample(output: RunOutput, *, is_dry: bool) -> None:
    """Raise ``ConfigError`` for an option that makes no sense with a sample."""
    if is_dry:
        raise ConfigError("--dry-run processes no images, but --sample processes some", hint="give one of them")
    if output.serve:
        raise ConfigError("--serve shows a whole run, but a sample ends soon", hint="omit --serve: a sample has a report")


def with_command(report: Report, words: Sequence[str], environment: Mapping[str, str]) -> Report:
    """Return ``report`` of a sample with the command that processes all images; ``words`` are those of the command line."""
    if report.sample is None:
        return report
    unset = ["env", "-u", VARIABLE] if environment.get(VARIABLE) else []
    command = (*unset, "pixmill", *_without_sample(words))
    return msgspec.structs.replace(report, sample=msgspec.structs.replace(report.sample, command=command))


def _without_sample(words: Sequence[str]) -> Iterator[str]:
    """Yield ``words`` without ``--sample`` and its value."""
    is_value = False
    for index, word in enumerate(words):
        if word == "--":
            yield from words[index:]
            return
        if not is_value and word != OPTION and not word.startswith(f"{OPTION}="):
            yield word
        is_value = word == OPTION and not is_value


def sample_summary(report: Report, sample: SampleReport, hints: Hints, *, destination: str) -> Iterator[str]:
    """Yield the lines of the summary of a sample; ``hints`` are those of its failures, ``destination`` is DST."""
    every = f"{plural(sample.found, 'image')}" + ("" if sample.source_bytes is None else f" ({byte_count(sample.source_bytes)})")
    is_all = sample.images == sample.found
    yield f"sample    all images: {every}" if is_all else f"sample    {sample.images:,} of {every}, chosen from all folders"
    folder, whole_run = shlex.quote(printable(sample.folder)), printable(shlex.join(sample.command))
    yield from results(report, lambda code: hints.of(code, folder, retry=whole_run))
    yield from _whole(sample, destination, is_all=is_all)
    yield f"outputs   {printable(sample.folder)}"
    yield f"report    {printable(sample.report)}"
    if report.counts.failed:
        yield f"To list the failures:  pixmill failures {folder}"
    yield f"To process all images: {whole_run}"
    yield f"To remove the sample:  rm -r {folder}"


def _whole(sample: SampleReport, destination: str, *, is_all: bool) -> Iterator[str]:
    """Yield the estimates for the whole source."""
    estimates = [
        ("output", sample.output_bytes, byte_count),
        ("time", sample.seconds, duration_text),
        ("failures", sample.failed, lambda number: f"{number:,.0f}"),
    ]
    known = [(label, estimate, show) for label, estimate, show in estimates if estimate is not None]
    if not known:
        return
    yield "whole     " + ("as in the sample" if is_all else "estimates, each with a range that holds in about 9 of 10 samples")
    conditions = f", with {plural(sample.workers, 'worker')} on this machine"
    if Address.parse(destination).local is None:
        conditions += f", without writing to {printable(destination)}"
    for label, estimate, show in known:
        yield f"{MARGIN}{label:9}{_range(estimate, show)}" + (conditions if label == "time" else "")


def _range(estimate: Estimate, show: Callable[[float], str]) -> str:
    value = show(estimate.value)
    if estimate.low is None or estimate.high is None:
        return f"about {value} (one image does not show how much they differ)"
    if estimate.low == estimate.high:
        return value
    low, high = show(estimate.low), show(estimate.high)
    return f"about {value}" if low == high else f"about {value} ({low} to {high})"
