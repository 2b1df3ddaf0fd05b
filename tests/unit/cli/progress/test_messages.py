"""The messages of the command: amounts, the summary, signals, and the output channels."""

import os
import signal

import pytest

from pixmill.batch.config.hints import Hints
from pixmill.batch.config.models import RunConfig
from pixmill.batch.report.summary import Report
from pixmill.cli.console import Channel, Console
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.session.signals import GracefulStop, Interrupted, handling_signals
from pixmill.cli.session.summary import summary
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.engine.observability.metrics import FailureKind
from pixmill.engine.task import Counts, Failure


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (812_400_000, "812.4 MB"), (-1_500_000, "-1.5 MB"), (3e12, "3.0 TB")],
)
def test_bytes_are_written_in_a_unit_that_fits(amount, text):
    assert byte_count(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 s"), (42.4, "42 s"), (94, "1:34"), (7500, "2:05:00"), (3599.9, "1:00:00")]
)
def test_a_length_of_time_is_written_as_on_a_clock(seconds, text):
    assert duration_text(seconds) == text


def test_one_is_not_many():
    assert [plural(number, "image") for number in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]


CONFIG = RunConfig(source="in", destination="it's here")


def test_an_interrupted_run_says_how_to_go_on():
    report = Report(counts=Counts(done=3, pending=7), reason="SIGINT", seconds=2.0)
    lines = list(summary(report, CONFIG, Hints()))
    assert "pending   7 images of those found so far" in lines
    assert lines[-1] == "To resume, run the same command again."


def test_failures_come_with_names_advice_and_the_command_that_lists_them():
    report = Report(
        counts=Counts(done=3, failed=5),
        remembered=1,
        failures={
            "timeout": FailureKind(count=1, keys=(b"slow.jpg",)),
            "decode": FailureKind(count=4, keys=(b"\x1b[2Ja", b"b\xff", b"c")),
        },
        notes={"frames-dropped": 2},
    )
    hints = Hints()
    hints.add(Failure(code="timeout", stage="decode", message="it took too long", hint="raise it with --timeout"))
    lines = list(summary(report, CONFIG, hints))
    start = lines.index("failed    5 images, 1 of them in an earlier run")
    assert lines[start + 1 : start + 4] == [
        "          decode: 4 (\\x1b[2Ja, b\\xff, c, ...)",
        "          timeout: 1 (slow.jpg)",
        "            raise it with --timeout",
    ]
    assert "notes     frames-dropped: 2" in lines
    assert "To list the failures: pixmill failures 'it'\"'\"'s here'" in lines


@pytest.mark.parametrize(
    ("failed", "remembered", "line"),
    [
        (2, 0, "failed    2 images"),
        (2, 1, "failed    2 images, 1 of them in an earlier run"),
        (2, 2, "failed    2 images, all of them in an earlier run"),
        (1, 1, "failed    1 image, in an earlier run"),
    ],
)
def test_failures_of_an_earlier_run_are_called_so(failed, remembered, line):
    report = Report(
        counts=Counts(failed=failed), remembered=remembered, failures={"decode": FailureKind(count=failed, keys=(b"a",))}
    )
    assert line in list(summary(report, CONFIG, Hints()))


def test_results_that_grew_are_not_called_savings():
    report = Report(counts=Counts(done=1), outputs=1, bytes_in=1000, bytes_out=1500)
    assert "done      1 image, 1.0 kB in, 1.5 kB out, 500 B more (50%)" in list(summary(report, CONFIG, Hints()))


def test_the_scores_of_outputs_are_told_by_their_median_and_the_lowest():
    def line(scores):
        lines = list(summary(Report(counts=Counts(done=3), scores=scores), CONFIG, Hints()))
        return next((line for line in lines if line.startswith("quality")), None)

    assert line({"80.2": 3, "100.0": 1, "9.5": 1}) == "quality   5 outputs: median score 80.2, lowest 9.5"
    assert line({"79.0": 1, "81.0": 1}) == "quality   2 outputs: median score 79.0, lowest 79.0"
    assert line({"81.3": 1}) == "quality   1 output: median score 81.3, lowest 81.3"
    assert line({}) is None


class Stopped:
    def __init__(self):
        self.heard = []

    def stop(self, reason):
        self.heard.append(reason)

    def kill(self):
        self.heard.append("kill")


def test_a_signal_before_there_is_a_run_ends_the_command():
    with handling_signals(), pytest.raises(Interrupted) as raised:
        os.kill(os.getpid(), signal.SIGTERM)
    assert ExitCode.after(raised.value.signal) == 143


def test_signals_stop_a_run_and_then_kill_it_and_are_given_back():
    run, said = Stopped(), []
    before = signal.getsignal(signal.SIGINT)
    with handling_signals() as interruption:
        interruption.attach(run, in_flight=lambda: 1, say=said.append)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
    assert run.heard == ["SIGINT", "kill"]
    assert said == ["finishing 1 image in flight; press Ctrl-C again to stop immediately", "stopping immediately"]
    assert ExitCode.after(interruption.signal) == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_a_hang_up_ends_a_run_as_a_termination_does():
    run, said = Stopped(), []
    interruption = GracefulStop()
    interruption.attach(run, in_flight=lambda: 2, say=said.append)
    interruption.handle(signal.SIGHUP, None)
    assert run.heard == ["SIGTERM"]
    assert said == ["finishing 2 images in flight; send another signal to stop immediately"]


def test_a_channel_without_a_stream_takes_everything():
    channel = Channel(None)
    assert channel.write("into nothing") == 12
    assert not channel.isatty()
    assert channel.error is None


def test_a_pipe_that_nobody_reads_is_no_fault():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        console = Console(stream, None)
        console.result("one")
        console.result("two")
    assert console.out.error is None


def test_a_record_is_one_line_of_ascii_that_keeps_any_name(tmp_path):
    with (tmp_path / "out").open("w+") as stream:
        Console(stream, None).record({"path": b"\xff\n\x1b"})
        stream.seek(0)
        assert stream.read() == '{"path":"%00FF\\n\\u001b"}\n'
