"""One run over every file of the corpus, good and hostile, with memory limited: it ends, and every file is accounted for.

``outcomes.tsv`` holds how each file ends, and its colours, which tests/oracles/test_corpus_colours.py compares. When a change moves
files on purpose: ``make outcomes``, and look at the difference.
"""

import json
import re
import resource
import subprocess
import sys

import pytest
from PIL import Image

from pixmill.batch.inspect import status
from pixmill.engine.task import State
from support import corpus_table
from support.corpus_table import CORPUS, Row
from support.invariants import outputs, temporaries

ADDRESS_SPACE = 6_000_000_000
DEADLINE = 30

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the command over the corpus; return the finished process and the destination."""
    destination = tmp_path_factory.mktemp("corpus") / "out"
    command = [sys.executable, "-m", "pixmill", "run", CORPUS, destination, "--timeout", f"{DEADLINE}s", "--memory", "3GB"]
    limits = (ADDRESS_SPACE, ADDRESS_SPACE)
    process = subprocess.run(
        command, check=False, capture_output=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limits)
    )
    return process, destination


@pytest.fixture(scope="module")
def records(run):
    with status.open_ledgers(str(run[1])) as ledger:
        return {record.key.decode(errors="surrogateescape"): record for record in ledger.records()}


def ending(record):
    if record is None:
        return "ignored"
    return record.failure.code if record.state is State.FAILED else str(record.state)


def test_the_run_ends_and_says_that_some_failed(run):
    assert run[0].returncode == 1, run[0].stderr.decode()[-2000:]


def test_every_file_is_done_failed_or_ignored_as_the_table_says(records):
    table = corpus_table.read()
    found = {path: (kind, ending(records.get(path))) for path, kind in corpus_table.indexed().items()}
    if corpus_table.IS_ACCEPTED:
        corpus_table.write({path: Row(*row, *table.get(path, Row("", ""))[2:]) for path, row in found.items()})
    else:
        assert found == {path: row[:2] for path, row in table.items()}


def test_at_least_98_percent_of_the_good_files_succeed_or_are_of_a_kind_that_is_named(records):
    good = [ending(records.get(path)) for path, kind in corpus_table.indexed().items() if kind == "good"]
    understood = sum(code in ("done", "unsupported", "ignored") for code in good)
    assert understood / len(good) >= 0.98


def test_every_photograph_succeeds(records):
    assert {ending(records.get(path)) for path, kind in corpus_table.indexed().items() if kind == "photo"} == {"done"}


def test_no_file_costs_more_than_its_deadline(records):
    assert max(record.seconds for record in records.values()) <= DEADLINE + 1


def test_every_output_is_whole(run):
    assert temporaries(run[1]) == []
    for name in outputs(run[1]):
        with Image.open(run[1] / name) as image:
            image.load()


@pytest.fixture(scope="module")
def report(run, tmp_path_factory):
    page = tmp_path_factory.mktemp("report") / "report.html"
    subprocess.run([sys.executable, "-m", "pixmill", "report", run[1], "-o", page, "--quality-check", "8"], check=True)
    return page


def test_its_report_is_small_and_has_the_numbers_of_the_ledger(run, report):
    text = report.read_text()
    assert len(text.encode()) < 6_000_000
    told = subprocess.run([sys.executable, "-m", "pixmill", "status", run[1], "--json"], check=True, capture_output=True)
    counts = json.loads(told.stdout)
    shown = {name: int(value.replace(",", "")) for name, value in re.findall(r'data-value="(done|failed|pending)">([\d,]+)<', text)}
    assert shown == {name: counts[name] for name in shown}
    assert sum(int(count.replace(",", "")) for count in re.findall(r'data-code="[\w-]+">([\d,]+)<', text)) == counts["failed"]


def test_its_report_opens_in_a_browser_and_asks_nothing_of_anybody(report, browser):
    misdeeds = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: misdeeds.append(message.text))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else misdeeds.append(asked.url))
        page.goto(report.as_uri())
        assert page.locator("#pictures img").count() >= 6
        for part in ("throughput", "sizes", "stages"):
            bars = page.locator(f"#{part} svg rect").evaluate_all("each => each.map((bar) => bar.getBoundingClientRect().height)")
            assert max(bars) > 10
    assert misdeeds == []
