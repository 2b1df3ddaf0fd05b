"""What people type who come from other tools: it works where it means the same, and is answered with our name where it does not."""

import io
import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.aliases import ALIASES, ALWAYS_ON
from pixmill.batch.config.answers import ANSWERS
from pixmill.batch.config.options import options, resolve
from pixmill.cli.command import commands, every_option, request
from pixmill.cli.docs.command_answers import COMMAND_ANSWERS
from pixmill.core.errors import ConfigError
from pixmill.core.units import Size


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
def test_what_means_something_else_is_answered(name):
    with pytest.raises(ConfigError) as typed:
        request(commands.get("run"), ["in", "out", f"--{name.replace('_', '-')}=9"], {})
    with pytest.raises(ConfigError) as called:
        resolve("in", "out", {name: 9})
    assert typed.value.hint == called.value.hint == ANSWERS[name]
    assert typed.value.message == f"unknown option --{name.replace('_', '-')}"


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--skip"], "for files of others use --existing skip"),
        (["-v"], "use --progress plain"),
        (["--ext", "webp"], "use --format webp"),
        (["--suffix", "x"], "use --name '{dir}/{stem}-small.{ext}'"),
        (["--foo"], "--help lists the options of this command"),
    ],
)
def test_the_command_prints_the_answer(words, hint):
    ended = run("run", "in", "out", *words)
    assert (ended.returncode, hint in ended.stderr, "did you mean" in ended.stderr) == (2, True, False), ended.stderr


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("line", "variables", "hint"),
    [
        ("suffix = 'x'", {}, 'use name = "{dir}/{stem}-small.{ext}"'),
        ("crop = '9x9'", {}, 'use size = "WxH", fit = "cover"'),
        ("", {"PIXMILL_CROP": "9x9"}, "use PIXMILL_SIZE=WxH PIXMILL_FIT=cover"),
        ("", {"PIXMILL_FOO": "9"}, "pixmill run --help lists the options"),
    ],
)
def test_a_file_and_a_variable_are_answered_in_their_own_syntax(pictures, line, variables, hint):
    (pictures / "job.toml").write_text(line + "\n")
    ended = run("run", "in", "out", "--config", "job.toml", **variables)
    assert (ended.returncode, hint in ended.stderr) == (2, True), ended.stderr


@pytest.mark.parametrize("word", COMMAND_ANSWERS)
def test_a_word_that_is_no_command_is_answered_with_ours(word):
    assert word.replace("-", "_") not in commands.names()
    named = re.findall(r"pixmill ([a-z]+)", COMMAND_ANSWERS[word])
    assert set(named) <= set(commands.names())


@pytest.mark.usefixtures("pictures")
def test_the_command_prints_the_answer_to_a_word():
    ended = run("convert", "in", "out")
    assert (ended.returncode, ended.stderr.splitlines()) == (
        2,
        ["pixmill: unknown command 'convert'", "  use pixmill run SRC DST --format webp"],
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--max-width", "80", "--max-height", "20"], {"size": Size(80, 20)}),
        (["--width", "80px"], {"size": Size(80)}),
        (["--longest-side", "80"], {"size": Size(80, 80)}),
        (["--scale", "50%"], {"size": Size(percent=50)}),
        (["--scale", "0.25"], {"size": Size(percent=25)}),
        (["--percent", "50"], {"size": Size(percent=50)}),
        (["--thumbnail", "1200px"], {"size": Size(1200, 1200)}),
        (["--fit", "crop"], {"fit": "cover"}),
        (["--fit", "stretch"], {"fit": "fill"}),
        (["--metadata", "all"], {"metadata": "keep"}),
        (["--metadata", "none"], {"metadata": "strip"}),
        (["--no-exif"], {"metadata": "strip"}),
        (["--remove-gps"], {"metadata": "no-gps"}),
        (["--keep-metadata"], {"metadata": "keep"}),
        (["--skip-existing"], {"existing": "skip"}),
        (["--threads", "3"], {"workers": 3}),
        (["--cpu", "3"], {"workers": 3}),
        (["--only", "*.png", "--only", "*.jpg"], {"include": ("*.png", "*.jpg")}),
        (["--ignore", "raw/"], {"exclude": ("raw/",)}),
        (["--follow-links"], {"follow_symlinks": True}),
        (["--resume", "-r", "--continue", "--keep-going"], {}),
    ],
)
def test_an_everyday_word_sets_our_option(words, expected):
    asked = request(commands.get("run"), ["in", "out", *words], {})
    set_values = {
        name: tuple(each.text for each in value) if isinstance(value, tuple) else value for name, value in asked.values.items()
    }
    assert set_values == expected


@pytest.mark.parametrize("words", [["--convert", "webp"], ["--to", ".webp"], ["--output-format", "WEBP"]])
def test_a_word_for_the_format_sets_it(pictures, words):
    assert run("run", "in", "out", *words).returncode == 0
    assert {path.suffix for path in (pictures / "out").glob("[0-9]*")} == {".webp"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--width", "50%"], "--width: expected a number of pixels such as 800 (--size takes a percentage), received 50%"),
        (["--scale", "50"], "--scale: expected a percentage such as 50% or a factor such as 0.5, received 50"),
        (["--fit", "square"], "received square; for squares use --size 400x400 --fit cover"),
        (["--format", "JPG,WEBP"], "for several formats: --formats jpg,webp"),
        (["--step", "rotate=90"], "write rotate:angle=90; rotate has angle, background"),
        (["--step", "resize=800x600"], "write resize:width=800,height=600; resize has "),
        (["--sizes", "320,0"], "--sizes: expected an integer of at least 1, received 0"),
        (["--threads", "x"], "--threads: expected an integer of at least 1, received x"),
    ],
)
def test_a_value_of_another_syntax_is_answered_with_ours(words, sentence):
    with pytest.raises(ConfigError) as end:
        request(commands.get("run"), ["in", "out", *words], {})
    assert sentence in str(end.value)


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        (["--size"], "--size needs a value: a size such as", ""),
        (["--jobs", "--fit", "cover"], "--jobs needs a value: an integer of at least 1", ""),
        (["--exclude", "-draft"], "--exclude needs a value: a pattern as in .gitignore", "such as --exclude=-draft"),
    ],
)
def test_a_missing_value_is_described_without_more_advice_than_is_needed(words, sentence, hint):
    with pytest.raises(ConfigError) as end:
        request(commands.get("run"), ["in", "out", *words], {})
    assert end.value.message.startswith(sentence)
    assert end.value.hint.endswith(hint) if hint else end.value.hint == ""


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
        (["--step", "rotate:90"], "  write rotate:angle=90; rotate has angle, background"),
        (["--step", "grayscale:1"], "  grayscale has no settings"),
        (["--format", "jpg:80"], "  write jpg:quality=80; jpg has quality, effort, "),
    ],
)
@pytest.mark.usefixtures("pictures")
def test_a_setting_without_a_name_lists_what_there_is(words, hint):
    ended = run("run", "in", "out", *words)
    assert (ended.returncode, ended.stderr.splitlines()[1].startswith(hint)) == (2, True), ended.stderr


@pytest.mark.parametrize("name", ["target-pixels", "image-limit", "shared-size-limit"])
@pytest.mark.usefixtures("pictures")
def test_no_suggestion_means_something_else(name):
    ended = run("run", "in", "out", f"--{name}", "9")
    assert (ended.returncode, "did you mean" in ended.stderr) == (2, False)


def test_every_flag_of_an_answer_is_an_option():
    flags = {flag for answer in ANSWERS.values() for flag in re.findall(r"(?<!pixmill )--([a-z-]+)", answer)}
    assert {flag.replace("-", "_") for flag in flags} <= {*every_option(), *ALIASES}


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
