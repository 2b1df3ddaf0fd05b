"""``--quiet`` prints nothing on success and one line when images failed, so that cron sends mail only then."""

import signal
import subprocess
import time

from tests.cli.conftest import COMMAND, write_picture


def test_nothing_is_said_when_all_is_well(pixmill, photos):
    for _ in range(2):
        ended = pixmill("run", photos, "out", "--quiet")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_one_line_says_how_many_failed_and_where_to_read_why(pixmill, photos):
    for number in range(3):
        (photos / f"bad{number}.jpg").write_bytes(b"no picture")
    for line in (("run", photos, "out"), ("run", photos, "out"), ("retry", "out")):
        ended = pixmill(*line, "--quiet")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == "3 images failed: pixmill failures out\n"
    ended = pixmill("run", photos, "my out", "--state", "st", "--quiet")
    assert ended.stderr == "3 images failed: pixmill failures 'my out' --state st\n"
    ended = pixmill("retry", "my out", "--state", "st", "--quiet")
    assert ended.stderr == "3 images failed: pixmill failures 'my out' --state st\n"


def test_the_shards_of_a_retry_are_added_up(pixmill, photos):
    for number in range(4):
        (photos / f"bad{number}.jpg").write_bytes(b"no picture")
    for shard in ("1/2", "2/2"):
        pixmill("run", photos, "out", "--shard", shard, "--quiet")
    assert pixmill("retry", "out", "--quiet").stderr == "4 images failed: pixmill failures out\n"


def test_what_takes_long_has_not_failed(pixmill, photos, tmp_path):
    (tmp_path / "slow.py").write_text("import time\n\ndef step(image):\n    time.sleep(1)\n    return image\n")
    words = ("--quiet", "--stall-after", "0.2", "--step", "python:function=slow.py:step", "--events", "e.jsonl")
    ended = pixmill("run", photos, "out", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '"run_stalled"' in (tmp_path / "e.jsonl").read_text(), "the stall is still an event"


def test_a_watch_says_which_images_fail_as_it_has_no_end(photos, tmp_path, clean_environment):
    (photos / "bad.jpg").write_bytes(b"no picture")
    process = subprocess.Popen(
        [*COMMAND, "watch", "photos", "out", "--quiet", "--settle", "0.1"],
        cwd=tmp_path, env=clean_environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline() == "[FAILED] bad.jpg: the file is not an image\n"
    write_picture(photos / "late.jpg")
    while not (tmp_path / "out" / "late.jpg").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert "FAILED" not in process.communicate(timeout=60)[1]
