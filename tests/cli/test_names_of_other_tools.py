"""What people type who come from other tools: it works where it means the same, and is answered with our name where it does not."""

import io
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON, ANSWERS
from pixmill.batch.config.options import options, resolve
from pixmill.core.errors import ConfigError


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for number in range(2):
        Image.new("RGB", (400, 300), (number * 90, 40, 40)).save(tmp_path / "in" / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words, **variables):
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **variables}
    return subprocess.run([sys.executable, "-m", "pixmill", *words], capture_output=True, text=True, check=False, env=environment)


def sizes(folder):
    return {Image.open(io.BytesIO(path.read_bytes())).size for path in folder.rglob("*.jpg")}


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["in", "out", "-s", "80x80", "-q", "60", "-j", "1", "-f", "jpg"], (80, 60)),
        (["in", "out", "--resize", "80x80"], (80, 60)),
        (["in", "out", "--width", "80"], (80, 60)),
        (["in", "out", "--height", "30"], (40, 30)),
        (["in", "out", "--width", "80", "--height", "30"], (40, 30)),
        (["in", "--out", "out", "-s", "80x"], (80, 60)),
        (["-s", "80x", "in", "-o", "out"], (80, 60)),
        (["--input", "in", "--output-dir", "out", "-s", "80x"], (80, 60)),
        (["in", "out", "--recursive", "--no-upscale", "--strip", "--jobs", "2", "--max-bytes", "1MB", "-s", "80x"], (80, 60)),
    ],
)
def test_it_works_where_it_means_the_same(pictures, words, size):
    ended = run("run", *words)
    assert ended.returncode == 0, ended.stderr
    assert sizes(pictures / "out") == {size}


def test_overwrite_replaces_what_is_there(pictures):
    (pictures / "out").mkdir()
    (pictures / "out" / "0.jpg").write_text("a file of somebody else")
    assert run("run", "in", "out").returncode == 1
    assert run("run", "in", "out", "--overwrite").returncode == 0
    assert sizes(pictures / "out") == {(400, 300)}


def test_a_dry_run_has_a_letter(pictures):
    ended = run("run", "in", "out", "-n")
    assert (ended.returncode, "to do          2 images" in ended.stdout) == (0, True)
    assert not (pictures / "out").exists()


def test_it_works_in_a_file_a_variable_and_python(pictures):
    (pictures / "job.toml").write_text("width = 60\njobs = 1\noverwrite = true\nrecursive = true\n")
    assert run("run", "in", "a", "--config", "job.toml").returncode == 0
    assert run("run", "in", "b", PIXMILL_WIDTH="60", PIXMILL_OVERWRITE="1", PIXMILL_JOBS="1").returncode == 0
    assert pixmill.run("in", "c", width=60, jobs=1, overwrite=True).exit_code == 0
    assert {tuple(sizes(pictures / name)) for name in "abc"} == {((60, 45),)}


@pytest.mark.usefixtures("pictures")
def test_a_flag_overrides_an_alias_in_a_variable():
    planned = run("plan", "in", "out", "--size", "80x80", "--json", PIXMILL_WIDTH="60")
    assert "80x80" in json.loads(planned.stdout)["makes"][0]


@pytest.mark.parametrize(
    "words",
    [
        ["--jobs", "2", "--workers", "2"],
        ["--resize", "9x9", "--width", "9"],
        ["--width", "9", "--size", "9x9"],
        ["--overwrite", "--existing", "skip"],
    ],
)
@pytest.mark.usefixtures("pictures")
def test_two_names_of_one_option_are_refused(words):
    ended = run("run", "in", "out", *words)
    assert (ended.returncode, "set the same option" in ended.stderr) == (2, True)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.usefixtures("pictures")
def test_what_means_something_else_is_answered(name):
    ended = run("run", "in", "out", f"--{name.replace('_', '-')}=9")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [f"pixmill: unknown option --{name.replace('_', '-')}", f"  {ANSWERS[name]}"]
    with pytest.raises(ConfigError) as end:
        resolve("in", "out", {name: 9})
    assert end.value.hint == ANSWERS[name]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("grayscale", "use --step grayscale; pixmill explain grayscale lists its settings"),
        ("rotate", "use --step rotate:angle=...; pixmill explain rotate lists its settings"),
        ("watermark", "use --step watermark:image=...; pixmill explain watermark lists its settings"),
    ],
)
@pytest.mark.usefixtures("pictures")
def test_the_name_of_a_step_is_answered(name, hint):
    ended = run("run", "in", "out", f"--{name}", "9")
    assert (ended.returncode, ended.stderr.splitlines()) == (2, [f"pixmill: unknown option --{name}", f"  {hint}"])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--step", "rotate:90"], "  rotate has angle, background"),
        (["--step", "grayscale:1"], "  grayscale has no settings"),
        (["--format", "jpg:80"], "  jpg has quality, effort, "),
    ],
)
@pytest.mark.usefixtures("pictures")
def test_a_setting_without_a_name_lists_what_there_is(words, hint):
    ended = run("run", "in", "out", *words)
    assert (ended.returncode, ended.stderr.splitlines()[1].startswith(hint)) == (2, True), ended.stderr


@pytest.mark.parametrize("name", ["min-size", "target-pixels", "image-limit", "shared-size-limit"])
@pytest.mark.usefixtures("pictures")
def test_no_suggestion_means_something_else(name):
    ended = run("run", "in", "out", f"--{name}", "9")
    assert (ended.returncode, "did you mean" in ended.stderr) == (2, False)


def test_no_alias_hides_an_option_or_leads_nowhere():
    assert {alias.option for alias in ALIASES.values()} <= set(options())
    assert not {*ALIASES, *ALWAYS_ON, *ANSWERS} & set(options())
    assert not set(ANSWERS) & {*ALIASES, *ALWAYS_ON}


@pytest.mark.parametrize("name", ALWAYS_ON)
def test_what_is_always_done_cannot_be_turned_off(name):
    assert resolve("in", "out", {name: True}) == resolve("in", "out")
    with pytest.raises(ConfigError, match="cannot be turned off"):
        resolve("in", "out", {name: False})


@pytest.mark.usefixtures("pictures")
def test_an_unknown_setting_lists_what_there_is():
    ended = run("run", "in", "out", "--format", "webp:sharpness=3")
    assert ended.stderr.splitlines() == [
        "pixmill: webp.sharpness: no such setting",
        "  webp has quality, effort, lossless, near_lossless, alpha_quality, sharp_chroma",
    ]
