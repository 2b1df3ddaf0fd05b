import json

import pytest

from pixmill.batch.bench import Measurement, recommended, worker_counts


def trial(workers, rate):
    return Measurement(workers=workers, images=9, failed=0, seconds=1, rate=rate, megapixels=1, speedup=1, efficiency=1, stages={})


@pytest.mark.parametrize(("cores", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_powers_of_two_up_to_the_cores_are_tried(cores, counts):
    assert worker_counts(cores) == counts


def test_the_least_number_of_workers_that_is_about_as_fast_as_any_is_recommended():
    assert recommended([trial(0, 99), trial(1, 10), trial(2, 19.5), trial(4, 20), trial(8, 12)]) == 2
    assert recommended([trial(0, 10), trial(1, 9)]) == 1


def test_every_way_of_running_is_measured_with_the_same_images(pixmill, photos):
    result = pixmill("bench", photos, "--try-workers", "1,2", "--images", "3", "--json")
    assert result.returncode == 0, result.stderr
    *trials, advice = map(json.loads, result.stdout.splitlines())
    assert [trial["workers"] for trial in trials] == [0, 1, 2]
    assert {trial["images"] for trial in trials} == {3}
    assert all(0.99 < sum(trial["stages"].values()) < 1.01 for trial in trials)
    assert trials[2]["efficiency"] == pytest.approx(trials[2]["speedup"] / 2)
    assert advice["recommended_workers"] in (1, 2)


def test_the_table_says_how_many_workers_to_use_and_the_images_are_left_alone(pixmill, photos):
    before = {path.name: path.stat().st_mtime_ns for path in photos.iterdir()}
    result = pixmill("bench", photos, "--size", "20x20", "--format", "webp", "--try-workers", "1")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "Recommended on this machine: --workers 1"
    assert {path.name: path.stat().st_mtime_ns for path in photos.iterdir()} == before


def test_images_that_fail_are_said_and_cost_the_exit_code(pixmill, photos):
    (photos / "broken.jpg").write_bytes((photos / "p0.jpg").read_bytes()[:200])
    result = pixmill("bench", photos, "--try-workers", "1")
    assert result.returncode == 1
    assert "1 image failed" in result.stderr


@pytest.mark.parametrize("words", [(), ("nowhere",), ("empty",)])
def test_without_images_nothing_is_measured(pixmill, tmp_path, words):
    (tmp_path / "empty").mkdir()
    result = pixmill("bench", *words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) <= 2
