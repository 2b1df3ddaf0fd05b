"""Which images ``--include`` and ``--exclude`` select, in whatever way they are given, and what is said about it."""

import json

import pytest
from tests.cli.conftest import write_picture

import pixmill as library

FILES = ["a.jpg", "b.JPG", "mex/c.jpg", "mex/raw/d.png", "2024/mex/e.jpg", "2024/raw/f.jpg"]
#: patterns, and the files that they select
SELECTIONS = [
    ({"include": ["mex"]}, {"mex/c.jpg", "mex/raw/d.png", "2024/mex/e.jpg"}),
    ({"include": ["*.jpg"]}, set(FILES) - {"mex/raw/d.png"}),
    ({"include": ["/mex/"], "exclude": ["raw/"]}, {"mex/c.jpg"}),
    ({"exclude": ["2024", "*.png"]}, {"a.jpg", "b.JPG", "mex/c.jpg"}),
    ({"exclude": ["*", "!*.png"]}, set()),
    ({"exclude": ["*", "!*/", "!*.png"]}, {"mex/raw/d.png"}),
]


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        write_picture(tmp_path / "in" / name)
    return tmp_path / "in"


def flags(patterns):
    return [word for option, given in patterns.items() for pattern in given for word in (f"--{option}", pattern)]


def sources(tmp_path, name="index.jsonl"):
    return {json.loads(line)["source"] for line in (tmp_path / name).read_text().splitlines()}


@pytest.mark.parametrize(("patterns", "selected"), SELECTIONS)
def test_a_run_takes_what_the_patterns_select(pixmill, tree, tmp_path, patterns, selected):
    ended = pixmill("run", tree, "out", "--index", "index.jsonl", *flags(patterns))
    if selected:
        assert ended.returncode == 0, ended.stderr
        assert sources(tmp_path) == selected
    else:
        assert ended.returncode == 2


@pytest.mark.parametrize("way", ["file", "variables", "python"])
def test_patterns_mean_the_same_in_whatever_way_they_are_given(pixmill, tree, tmp_path, way):
    patterns, selected = SELECTIONS[2]
    if way == "file":
        (tmp_path / "job.toml").write_text('include = ["/mex/"]\nexclude = ["raw/"]\nindex = "index.jsonl"\n')
        assert pixmill("run", tree, "out", "--config", "job.toml").returncode == 0
    elif way == "variables":
        environment = {"PIXMILL_INCLUDE": "/mex/", "PIXMILL_EXCLUDE": "raw/", "PIXMILL_INDEX": "index.jsonl"}
        assert pixmill("run", tree, "out", env=environment).returncode == 0
    else:
        report = library.run(tree, tmp_path / "out", index=str(tmp_path / "index.jsonl"), **patterns)
        assert [(each.pattern, each.images) for each in report.patterns] == [("/mex/", 2), ("raw/", 2)]
    assert sources(tmp_path) == selected


def test_plan_run_and_json_say_which_pattern_left_out_how_many(pixmill, tree):
    words = ("--include", "mex", "--exclude", "raw/", "--exclude", "*.gif")
    planned = pixmill("plan", tree, "out", *words).stdout
    assert "ignored        2 files: excluded (--exclude raw/)" in planned
    assert "ignored        2 files: not-included (no match for --include mex)" in planned
    assert "warning        --exclude '*.gif' matches no image" in planned
    told = pixmill("run", tree, "out", *words).stderr
    assert "ignored   excluded: 2 (--exclude raw/), not-included: 2 (no match for --include mex)" in told.replace(
        "\n          ", " "
    )
    assert "unused    --exclude '*.gif' matches no image" in told
    expected = [
        {"option": "include", "pattern": "mex", "images": 3, "is_used": True},
        {"option": "exclude", "pattern": "raw/", "images": 2, "is_used": True},
        {"option": "exclude", "pattern": "*.gif", "images": 0, "is_used": False},
    ]
    assert json.loads(pixmill("plan", tree, "out", "--json", *words).stdout)["patterns"] == expected
    assert json.loads(pixmill("run", tree, "out", "--json", *words).stdout.splitlines()[-1])["patterns"] == expected


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("*.{jpg,png}", "{ } are ordinary characters; repeat the option"),
        ("*.jpg,*.png", "a comma is an ordinary character; repeat the option"),
        ("in/mex", "a pattern with a slash is relative to SRC"),
    ],
)
def test_a_pattern_of_another_language_is_answered(pixmill, tree, pattern, advice):
    ended = pixmill("run", tree, "out", "--include", pattern)
    assert ended.returncode == 2
    assert advice in ended.stderr.replace("\n", " ")


def test_an_excluded_file_that_cannot_be_read_is_no_failure(pixmill, tree):
    (tree / "lost").mkdir()
    (tree / "lost" / "gone.jpg").symlink_to("nowhere")
    assert pixmill("run", tree, "out", "--follow-symlinks").returncode == 1
    assert pixmill("run", tree, "out", "--follow-symlinks", "--exclude", "lost/").returncode == 0
