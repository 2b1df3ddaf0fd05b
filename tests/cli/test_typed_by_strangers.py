"""Lines as strangers type them: with the dashes, the settings and the order of arguments that they are used to."""

import os

import pytest
from PIL import Image

from pixmill.batch.config.options import resolve
from pixmill.cli.command import commands, request


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["-resize", "50%", "-quality", "80", "-strip", "-auto-orient"], ["--size", "50%", "-q", "80", "--metadata", "strip"]),
        (["-format=webp"], ["--format", "webp"]),
        (["-fwebp", "-s80x", "-q80"], ["-f", "webp", "-s", "80x", "-q", "80"]),
        (["--preserve-dates"], ["--preserve", "mtime"]),
    ],
)
def test_long_options_with_one_dash_are_options(words, same):
    typed, meant = (request(commands.get("run"), ["in", "out", *line], {}) for line in (words, same))
    assert (typed.arguments, typed.values) == (meant.arguments, meant.values)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["-rotate", "90"], "use --step rotate:angle=..."),
        (["-gravity", "center"], "gravity=attention"),
        (["-av"], "--preserve mtime keeps the dates"),
        (["-vf", "scale=800:-1"], "use --size and --step NAME"),
        (["--border", "20"], "use --step border:width=20"),
        (["--step", "border:20"], "write border:width=20;"),
        (["--step", "bw"], "unknown operation 'bw'; use grayscale"),
        (["--step", "pad:20"], "write pad:border=20;"),
        (["--step", "crop:40x30+1+2"], "write crop:width=40,height=30,left=1,top=2;"),
        (["--format", "webp:lossless"], "write webp:lossless=true;"),
        (["--size", "16:9"], "for an aspect ratio use --step crop:aspect=16:9"),
        (["--size", "80x60^"], "to fill the box use --fit cover"),
        (["--name", "{year}/{stem}.{ext}"], "the year is {date:%Y}"),
        (["--", "--size", "80x"], "put -- after the options, before the names of files"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_what_cannot_work_is_answered(pixmill, tmp_path, words, answer):
    ended = pixmill("run", "photos", "out", *words)
    assert (ended.returncode, answer in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "out").exists()


def test_the_dates_are_kept_in_a_file_and_in_python_too(pixmill, photos, tmp_path):
    assert resolve("in", "out", {"keep_dates": True}) == resolve("in", "out", {"preserve": ["mtime"]})
    (tmp_path / "job.toml").write_text("keep_dates = true\n")
    os.utime(photos / "p0.jpg", (1e9, 1e9))
    assert pixmill("run", photos, "out", "--config", "job.toml").returncode == 0
    assert (tmp_path / "out" / "p0.jpg").stat().st_mtime == 1e9


def test_options_before_the_command_are_answered(pixmill):
    ended = pixmill("--verbose", "run", "photos", "out")
    assert ended.stderr.splitlines() == [
        "pixmill: --verbose is no command",
        "  the command comes first, and options follow it: pixmill run SRC DST --quiet",
    ]


def test_explain_says_to_leave_out_the_dashes(pixmill):
    assert "to explain it, leave out the dashes" in pixmill("explain", "--fit").stderr


def test_all_outputs_go_into_one_folder_as_the_answer_to_flatten_says(pixmill, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "in" / folder / "c.png")
    assert "use --flat" in pixmill("run", "in", "out", "--flatten").stderr
    assert pixmill("run", "in", "out", "--flat").returncode == 0
    assert len(list((tmp_path / "out").glob("c*.jpg"))) == 2


def test_each_group_of_options_is_one_section_of_the_help(pixmill):
    titles = [line for line in pixmill("run", "--help").stdout.splitlines() if line.endswith("options:")]
    assert len(titles) == len(set(titles)) > 3
