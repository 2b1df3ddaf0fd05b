"""Files that vanish or change under a run and between two; paths as long as paths may be (S13 to S15, S17, S18)."""

import errno
import shutil
import subprocess
import time

import pytest
from PIL import Image

from support.fault_run import COMMAND, DONE, SOME_FAILED, Trial
from support.invariants import counts, failed, identities, outputs
from support.processes import wait_until


@pytest.fixture
def own(tmp_path, gallery):
    """Return a function that gives a copy of a gallery, to be changed."""

    def copy(count, **how):
        shutil.copytree(gallery(count, **how), tmp_path / "own")
        return tmp_path / "own"

    return copy


@pytest.mark.row("S13")
def test_an_image_that_vanishes_after_it_was_listed_costs_itself(trial, own, undisturbed, gallery):
    expected = undisturbed(gallery(60, side=600))
    attempt = trial(own(60, side=600), expected=expected)
    process = attempt.start("--workers", "1")
    wait_until(lambda: counts(attempt.destination).done > 0 or process.poll() is not None)
    gone = [path for path in sorted(attempt.source.rglob("*.jpg"))[40:] if path.unlink() is None]
    attempt.faults += len(gone)
    attempt = again(trial, attempt)
    _out, err = process.communicate(timeout=240)
    assert "Traceback" not in err
    told = failed(attempt.destination)
    assert process.returncode == (SOME_FAILED if told else DONE)
    assert {record.failure.code for record in told.values()} <= {"read-vanished", "changed"}
    assert counts(attempt.destination).done + len(told) == counts(attempt.destination).found
    shutil.copytree(gallery(60, side=600), attempt.source, dirs_exist_ok=True)
    attempt = again(trial, attempt)
    attempt.retry()
    attempt.complete()


@pytest.mark.row("S14")
def test_images_that_are_replaced_after_they_were_listed_are_made_in_their_new_version_by_the_same_run(
    trial, own, undisturbed, gallery
):
    attempt = trial(own(60, side=600), expected=undisturbed(gallery(60, side=600)))
    process = attempt.start("--workers", "1")
    wait_until(lambda: counts(attempt.destination).done > 0 or process.poll() is not None)
    for path in sorted(attempt.source.rglob("*.jpg"))[40:]:
        beside = path.with_suffix(".new")
        beside.write_bytes(path.read_bytes())  # the same pixels in another file
        beside.replace(path)
        attempt.faults += 1
    attempt = again(trial, attempt)
    _out, err = process.communicate(timeout=240)
    assert process.returncode == DONE, err
    assert counts(attempt.destination).done == 60
    assert attempt.complete().code == DONE


@pytest.mark.row("S13")
@pytest.mark.parametrize("how", [errno.ESTALE, errno.EIO])
def test_an_image_that_cannot_be_opened_for_a_moment_is_tried_again(trial, gallery, shim, how):
    attempt = trial(gallery(3), "--workers", "1", "--backoff", "0s")
    fault = shim(FAULT_UNDER=attempt.source, FAULT_CALL="open", FAULT_HOW=how, FAULT_AT=2)
    ended = attempt.run(env=fault.environment)
    attempt.faults += fault.fired
    assert fault.fired == 1
    assert ended.code == DONE, ended.err
    attempt.complete()


def again(begin, attempt) -> Trial:
    """Go on with the same folders, whose inputs the test itself has changed."""
    return begin(attempt.source, *attempt.words, destination=attempt.destination, expected=attempt.expected)


@pytest.mark.row("S14")
def test_an_image_that_is_written_to_while_it_is_read_is_never_half_of_each(trial, own, undisturbed, gallery):
    source = own(12, side=900)
    victim = source / "0" / "photo 000.jpg"
    whole = victim.read_bytes()
    attempt = trial(source, expected=undisturbed(gallery(12, side=900)))
    process = attempt.start()
    while process.poll() is None:
        victim.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.001)  # the writer's own pace
        victim.write_bytes(whole)
    attempt.faults += 1
    process.communicate()
    attempt = again(trial, attempt)
    told = failed(attempt.destination)
    assert set(told) <= {"0/photo 000.jpg"}
    assert {record.failure.code for record in told.values()} <= {"changed", "read-changed", "truncated", "decode", "not-an-image"}
    assert attempt.complete().code == DONE


@pytest.mark.row("S15")
def test_outputs_that_were_removed_or_are_empty_are_made_again_and_one_that_was_cut_when_that_is_asked_for(trial, gallery):
    attempt = trial(gallery(12))
    attempt.complete()
    removed, cut, emptied = (attempt.destination / name for name in sorted(attempt.expected)[:3])
    removed.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    emptied.write_bytes(b"")
    attempt.faults += 3
    first, second, third = sorted(attempt.expected)[:3]
    attempt.changed(first, second, third)
    before = identities(attempt.destination)
    subprocess.run([*COMMAND, "run", attempt.source, attempt.destination, "--quiet"], check=True)
    now = identities(attempt.destination)
    assert {name for name in now if now[name] != before.get(name)} == {first, third}
    subprocess.run([*COMMAND, "verify", attempt.destination, "--repair", "--quiet"], check=True)
    repaired = identities(attempt.destination)
    assert {name for name in now if now[name] != repaired[name]} == {second}
    attempt.complete()


@pytest.mark.row("S15")
def test_verify_finds_an_output_of_the_same_size_and_repair_makes_it_again(trial, gallery):
    attempt = trial(gallery(12))
    attempt.complete()
    victim = attempt.destination / min(attempt.expected)
    victim.write_bytes(victim.read_bytes()[:-3] + b"\0\xff\xd9")
    attempt.faults += 1
    verify = subprocess.run([*COMMAND, "verify", attempt.destination], capture_output=True, text=True, check=False)
    assert (verify.returncode, verify.stdout) == (1, f"{min(attempt.expected)}: content differs\n")
    attempt.changed()
    subprocess.run([*COMMAND, "verify", attempt.destination, "--repair", "--quiet"], check=True)
    attempt.complete()


@pytest.mark.row("S17")
def test_a_temporary_folder_elsewhere_does_not_matter(trial, gallery):
    attempt = trial(gallery(12))
    assert attempt.run(env={"TMPDIR": "/dev/shm"}).code == DONE
    attempt.faults += 1
    attempt.complete()


@pytest.mark.row("S18")
def test_names_as_long_as_they_may_be_are_written_and_longer_ones_cost_themselves(trial, tmp_path):
    source, destination = tmp_path / "in", tmp_path / "out-long"
    deep = source.joinpath(*["d" * 240] * 8)
    deep.mkdir(parents=True)
    for path in (source / ("a" * 251 + ".jpg"), deep / ("b" * 251 + ".jpg"), source / "short.jpg"):
        Image.new("RGB", (60, 40)).save(tmp_path / "one.jpg")
        (tmp_path / "one.jpg").rename(path)
    attempt = trial(source, "--name", "{dir}/{stem}.{ext}", destination=destination)
    attempt.faults += 1
    attempt.complete()
    longer = trial(source, "--name", "{dir}/{stem}-larger.{ext}", expected={})
    result = subprocess.run(
        [*COMMAND, "run", source, longer.destination, *longer.words], capture_output=True, text=True, check=False, timeout=240
    )
    assert result.returncode == SOME_FAILED
    assert {record.failure.code for record in failed(longer.destination).values()} == {"write-name"}
    assert set(outputs(longer.destination)) == {"short-larger.jpg"}
