"""``--profile``: where a sample of images spent its time."""

import json


def test_a_run_leaves_a_profile_of_its_images_by_stage(pixmill, photos, tmp_path):
    ended = pixmill("run", photos, "out", "--size", "32x32", "--profile", "p.json")
    assert ended.returncode == 0
    file = json.loads((tmp_path / "p.json").read_text())
    frames = [frame["name"] for frame in file["shared"]["frames"]]
    whole, *images = file["profiles"]
    assert sorted(profile["name"] for profile in images) == [f"p{number}.jpg" for number in range(4)]
    outermost = set()
    for profile in file["profiles"]:
        stack = []
        for event in profile["events"]:
            if event["type"] == "O":
                outermost |= set() if stack else {frames[event["frame"]]}
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        assert stack == []
    assert {"read", "header", "decode", "transform", "encode", "write"} <= outermost
    assert 0 < sum(profile["endValue"] for profile in images) <= whole["endValue"] * 1.001
    assert "process" in frames


def test_the_outputs_are_those_of_a_run_that_is_not_profiled(pixmill, photos, tmp_path):
    pixmill("run", photos, "plain", "--size", "32x32")
    pixmill("run", photos, "profiled", "--size", "32x32", "--profile", "p.json")
    plain, profiled = ({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.jpg")} for name in ("plain", "profiled"))
    assert plain == profiled
    assert len(plain) == 4


def test_a_profile_that_could_not_be_written_is_refused_before_the_run(pixmill, photos, tmp_path):
    ended = pixmill("run", photos, "out", "--profile", "nowhere/p.json")
    assert ended.returncode == 2
    assert "nowhere/p.json cannot be written" in ended.stderr
    assert not (tmp_path / "out").exists()
