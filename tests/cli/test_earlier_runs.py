"""The commands about an earlier run: status, failures, retry, verify and plan."""

import json
import os
import shutil

import pytest


@pytest.fixture
def finished(pixmill, photos, tmp_path):
    """A run of four pictures and two that failed."""
    (photos / "bad.jpg").write_bytes(b"no picture")
    (photos / "empty.jpg").write_bytes(b"")
    assert pixmill("run", photos, "out", "--quiet").returncode == 1
    return tmp_path / "out"


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_status_counts_what_the_ledger_holds(pixmill, finished):
    result = pixmill("status", finished)
    assert result.returncode == 0
    assert result.stdout.splitlines()[:2] == ["done     4 images", f"failed   2 images (see pixmill failures {finished})"]
    (held,) = records(pixmill("status", finished, "--json"))
    assert (held["done"], held["failed"], held["pending"]) == (4, 2, 0)
    assert held["last_run"]["counts"]["found"] == 6
    assert held["last_run"]["config"]["recipe"]["background"]


def test_failures_are_listed_with_their_codes_and_can_be_chosen_by_code(pixmill, finished):
    result = pixmill("failures", finished)
    assert result.stdout.splitlines()[0] == "bad.jpg: not-an-image: the file is not an image"
    assert [failed["path"] for failed in records(pixmill("failures", finished, "--json"))] == ["bad.jpg", "empty.jpg"]
    assert pixmill("failures", finished, "--code", "timeout").stdout == ""


def test_failures_say_once_a_code_what_to_do(pixmill, photos):
    assert pixmill("run", photos, "out", "--max-side", "50").returncode == 1
    advice = pixmill("failures", "out").stderr.splitlines()
    assert [line for line in advice if line.startswith("limit-side: 4 images; ") and "--max-side" in line] == advice[:1]
    assert advice[-1] == "To retry them: pixmill retry out"


@pytest.mark.parametrize("command", ["failures", "retry"])
def test_an_unknown_code_is_refused_with_the_nearest(pixmill, finished, command):
    result = pixmill(command, finished, "--code", "limit-pixel")
    assert result.returncode == 2
    assert "unknown error code limit-pixel; did you mean 'limit-pixels'?" in result.stderr
    assert pixmill("failures", finished).stdout.count("\n") == 2


def test_a_code_that_nothing_failed_with_selects_nothing_and_says_so(pixmill, finished):
    result = pixmill("failures", finished, "--code", "timeout")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "no failed images\n")


def test_verify_says_how_much_it_compared_and_what_it_could_not(pixmill, finished):
    result = pixmill("verify", finished)
    assert result.stderr.splitlines()[0] == "the outputs of 4 images match the ledger"
    assert result.stderr.splitlines()[1].startswith("2 images failed and cannot be compared: pixmill failures ")


def test_a_run_a_retry_and_verify_end_with_the_same_code(pixmill, finished, photos):
    codes = [pixmill(*line).returncode for line in (("run", photos, finished), ("retry", finished), ("verify", finished))]
    assert codes == [1, 1, 1]  # images have failed
    for bad in ("bad.jpg", "empty.jpg"):
        (photos / bad).unlink(missing_ok=True)
        shutil.copy(photos / "p0.jpg", photos / bad)
    codes = [pixmill(*line).returncode for line in (("run", photos, finished), ("retry", finished), ("verify", finished))]
    assert codes == [0, 0, 0]


def test_verify_does_not_call_an_output_complete_that_has_pending_images(pixmill, photos):
    pixmill("run", photos, "out", "--max-rate", "1/m", "--timeout", "5s", "--max-failures", "0", "--max-side", "10")
    ended = pixmill("verify", "out")
    assert (ended.returncode, "pending" in ended.stderr) == (1, True), ended.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--step", "grayscale"), "the steps of the last run cannot be changed, only its python steps be allowed"),
        (("--step", "python:function=x.py:y"), "the last run has no --step python:function=x.py:y"),
        (("--size", "80x"), "it is an option of pixmill bench, plan, run and watch; a retry does what the last run did"),
        (("--width", "80"), "it is another name for --size, an option of pixmill bench, plan, run and watch; a retry does"),
        (("--on-upgrade", "remake"), "a retry does what the last run did"),
        (("--memory", "1"), "memory: expected at least 100MB, received 1B"),
    ],
)
def test_a_retry_refuses_what_it_cannot_change(pixmill, finished, words, sentence):
    ended = pixmill("retry", finished, *words)
    assert (ended.returncode, sentence in ended.stderr) == (2, True), ended.stderr
    assert pixmill("failures", finished).stdout.count("\n") == 2  # nothing was reset


def test_a_variable_for_runs_does_not_stop_a_retry(pixmill, finished):
    assert pixmill("retry", finished, env={"PIXMILL_STEP": "grayscale", "PIXMILL_SIZE": "80x"}).returncode == 1


@pytest.mark.parametrize("line", [("verify",), ("report",)])
def test_a_step_is_refused_where_only_its_code_can_be_allowed(pixmill, finished, line):
    ended = pixmill(*line, finished, "--step", "grayscale")
    assert (ended.returncode, "only its python steps be allowed" in ended.stderr) == (2, True)


def test_retry_tries_what_failed_and_nothing_else(pixmill, finished, photos):
    before = {path.name: path.stat().st_mtime_ns for path in finished.glob("*.jpg")}
    shutil.copy(photos / "p0.jpg", photos / "bad.jpg")
    result = pixmill("retry", finished)
    assert result.returncode == 1  # one is still empty
    assert "retrying 2 failed images" in result.stderr
    after = {path.name: path.stat().st_mtime_ns for path in finished.glob("*.jpg")}
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"bad.jpg"}


def test_retry_leaves_new_images_to_the_next_run(pixmill, finished, photos):
    shutil.copy(photos / "p0.jpg", photos / "new.jpg")
    result = pixmill("retry", finished, "--json")
    (report,) = [record for record in records(result) if record.get("event") == "report"]
    assert (report["counts"]["found"], report["counts"]["failed"]) == (2, 2)
    assert not (finished / "new.jpg").exists()


def test_retry_says_that_nothing_failed(pixmill, photos):
    assert pixmill("run", photos, "out").returncode == 0
    result = pixmill("retry", "out")
    assert (result.returncode, result.stderr) == (0, "there is nothing to retry\n")


def test_retry_with_a_code_that_no_image_failed_with_still_tells_that_others_did(pixmill, finished):
    result = pixmill("retry", finished, "--code", "timeout")
    assert (result.returncode, result.stderr) == (1, "there is nothing to retry\n")


def test_retry_may_change_a_limit(pixmill, photos, tmp_path):
    assert pixmill("run", photos, "out", "--max-side", "50").returncode == 1
    assert [failed["failure"]["code"] for failed in records(pixmill("failures", "out", "--json"))] == ["limit-side"] * 4
    assert pixmill("retry", "out", "--max-side", "100").returncode == 0
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 4


def test_retry_works_from_another_folder(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    assert pixmill("run", photos.name, "out").returncode == 1
    shutil.copy(photos / "p0.jpg", photos / "bad.jpg")
    (tmp_path / "elsewhere").mkdir()
    assert pixmill("retry", "../out", cwd=tmp_path / "elsewhere").returncode == 0
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 5


def test_verify_names_what_is_missing_cut_or_changed(pixmill, finished):
    assert pixmill("verify", finished).stdout == ""
    (finished / "p0.jpg").unlink()
    os.truncate(finished / "p1.jpg", 10)
    changed = bytearray((finished / "p2.jpg").read_bytes())
    changed[-1] ^= 1
    (finished / "p2.jpg").write_bytes(changed)
    result = pixmill("verify", finished)
    assert result.returncode == 1
    assert result.stdout.splitlines() == ["p0.jpg: missing", "p1.jpg: size differs", "p2.jpg: content differs"]
    assert [problem["what"] for problem in records(pixmill("verify", finished, "--json"))] == ["missing", "size", "content"]


def test_plan_tells_what_is_to_do_from_what_is_done_and_what_failed(pixmill, finished, photos):
    shutil.copy(photos / "p0.jpg", photos / "new.jpg")
    (plan,) = records(pixmill("plan", photos, finished, "--json"))
    assert (plan["found"], plan["to_do"], plan["unchanged"], plan["failed_before"]) == (7, 1, 4, 2)
    assert plan["examples"] == [{"source": "new.jpg", "outputs": ["new.jpg"]}]
    (plan,) = records(pixmill("plan", photos, finished, "--json", "--format", "webp"))
    assert (plan["to_do"], plan["unchanged"]) == (7, 0)


def test_plan_shows_the_names_that_two_sources_would_share(pixmill, photos):
    shutil.copy(photos / "p0.jpg", photos / "p0.png")
    result = pixmill("plan", photos, "out")
    assert "p0.png -> p0.png.jpg" in result.stdout
    assert "renamed        1 image" in result.stdout
    assert pixmill("run", photos, "out", "--on-collision", "error").returncode == 2


def test_questions_leave_the_output_as_it_was(pixmill, finished):
    def files():
        # the shared memory of SQLite's readers and writers may stay; it holds nothing
        return {
            path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        }

    before = files()
    for words in (("status", finished), ("failures", finished), ("verify", finished)):
        pixmill(*words)
    assert files() == before
