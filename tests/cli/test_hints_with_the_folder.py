"""The commands in hints name the folder of the run wherever they appear: in logs, in JSON, and in Python."""

import json

import pytest
from PIL import Image

import pixmill as api
from pixmill.core.errors import ConfigError, LimitError

COMMAND = "pixmill retry out --max-side 64"


def hints(text):
    return {line["failure"]["hint"] for line in map(json.loads, text.splitlines()) if "failure" in line}


def test_the_list_of_failures_has_it_also_as_json(pixmill, photos):
    assert pixmill("run", photos, "out", "--max-side", "50").returncode == 1
    assert hints(pixmill("failures", "out", "--json").stdout) == {COMMAND}


def test_logs_and_events_have_it(pixmill, photos, tmp_path):
    files = ("--log-file", "f.log", "--events", "e.jsonl")
    ended = pixmill("run", photos, "out", "--max-side", "50", "--json", *files)
    assert COMMAND in (tmp_path / "f.log").read_text()
    for text in (ended.stdout, (tmp_path / "e.jsonl").read_text()):
        assert hints(text) == {COMMAND}


def test_a_run_to_a_file_has_the_command_that_made_it(pixmill, photos, tmp_path):
    pixmill("run", photos / "p0.jpg", "thumb.webp", "--max-side", "50", "--log-file", "f.log")
    assert f"pixmill run {photos / 'p0.jpg'} thumb.webp" in (tmp_path / "f.log").read_text()


def test_a_state_folder_is_named(pixmill, photos):
    assert pixmill("run", photos, "out", "--max-side", "50", "--state", "st").returncode == 1
    assert hints(pixmill("failures", "out", "--state", "st", "--json").stdout) == {"pixmill retry out --state st --max-side 64"}


def test_a_result_in_python_has_it(photos, tmp_path):
    with api.open_run(photos, tmp_path / "out", max_side=50, workers=1) as run:
        found = {result.hint for result in run.results()}
    assert found == {f"pixmill retry {tmp_path / 'out'} --max-side 64"}


def test_one_image_in_python_names_the_keyword():
    with pytest.raises(LimitError) as side:
        api.process(Image.new("RGB", (64, 48)), max_side=50)
    with pytest.raises(LimitError) as pixels:
        api.process(Image.new("RGB", (64, 48)), max_pixels=50)
    assert (side.value.hint, pixels.value.hint) == ("pass max_side=64", 'pass max_pixels="3072"')


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers: expected an integer of at least 1, received 0"),
        ({"jobs": 0}, "jobs: expected an integer of at least 1, received 0"),
        ({"quality": "x"}, "quality: expected an integer, received x"),
        ({"exclude": "drafts"}, 'exclude: expected a list, such as ["drafts"], received drafts'),
        ({"sizes": "320,640"}, "sizes: expected a list, such as [320, 640], received 320,640"),
        ({"width": "50%"}, "width: expected a number of pixels such as 800 (size takes a percentage), received 50%"),
        ({"recursive": False}, "recursive cannot be turned off"),
        ({"size": "keep", "fit": "cover"}, "fit: requires a box, but the size is keep\nomit fit or size"),
        ({"bw": True}, 'bw: no such option\nuse step=["grayscale"]'),
        ({"dry": True}, "use the command's --dry-run, which writes nothing, or sample=20, which tries a few images"),
        ({"format": "jpg,webp"}, 'for several formats: formats=["jpg", "webp"]'),
        ({"memory": 1}, 'memory: expected at least 100MB, received 1B\na number without a unit counts bytes: memory="2GB"'),
    ],
)
def test_a_message_names_the_keyword_that_was_written(photos, tmp_path, options, message):
    with pytest.raises(ConfigError) as end:
        api.run(photos, tmp_path / "out", **options)
    assert message in str(end.value)
