"""Patterns follow the rules of .gitignore; Git itself is asked."""

import os
import random
import shutil
import subprocess

import pytest

from pixmill.batch.config.models import Selection
from pixmill.batch.config.pattern import Pattern
from pixmill.batch.planning.pattern_list import PatternList
from pixmill.core.errors import ConfigError

GIT = shutil.which("git")
# a newline, bytes that are not UTF-8, case, and every special character of a pattern occur in names
NAMES = [
    b"a", b"b", b"ab", b"A", b"a.jpg", b"B.JPG", b"mex", b"x y", b"n\nl", b"\xff", b"a]", b"a-b", b"[x]", b"a\\b",
]  # fmt: skip
PARTS = [
    "a", "b", "*", "**", "***", "?", "mex", "M?X", "*.jpg", "[ab]", "[!a]", "[^a-m]*", "[z-a]", "[a-]", "[]a]*", "[!-b]", "*[\\]]",
    "[[:alpha:]]", "[[:upper:][:punct:]]*", "\\[x\\]", "a\\\\b", "a*", "**x", "x\\ y", "n?l", "\udcff",
]  # fmt: skip
SEED = 20


def taken(patterns, paths):
    matcher = PatternList("include", tuple(map(Pattern, patterns)))
    return {path for path in paths if matcher.takes(path)}


@pytest.fixture
def ignored_by_git(tmp_path):
    """Return the function that has Git answer which of ``paths``, which are created, a list of patterns ignores."""
    if GIT is None:
        pytest.skip("git is not installed")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*words, data=None):
        line = [GIT, "-c", "core.ignorecase=true", *words]
        return subprocess.run(line, cwd=tmp_path, env=environment, input=data, capture_output=True, check=False).stdout

    def ask(patterns, paths):
        lines = (tmp_path / ".git" / "info" / "exclude").open("wb")
        with lines:
            lines.writelines(os.fsencode(pattern) + b"\n" for pattern in patterns)
        listed = git("check-ignore", "--no-index", "--stdin", "-z", data=b"\0".join(paths))
        return {path for path in listed.split(b"\0") if path}

    def create(paths):
        git("init", "--quiet", ".")
        for path in paths:
            file = tmp_path / os.fsdecode(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()

    ask.create = create
    return ask


def test_random_patterns_take_what_git_would_ignore(ignored_by_git):
    chance = random.Random(SEED)
    paths = sorted({b"/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(120)})
    paths = [path for path in paths if not any(other.startswith(path + b"/") for other in paths)]
    ignored_by_git.create(paths)
    for _ in range(200):
        patterns = [pattern(chance) for _ in range(chance.randint(1, 3))]
        assert taken(patterns, paths) == ignored_by_git(patterns, paths), patterns


def pattern(chance):
    body = "/".join(chance.choices(PARTS, k=chance.randint(1, 3)))
    return ("!" * (chance.random() < 0.3)) + ("/" * (chance.random() < 0.25)) + body + ("/" * (chance.random() < 0.25))


@pytest.mark.parametrize(
    ("given", "path", "is_taken"),
    [
        ("mex", "mex/deep/a.jpg", True),
        ("mex", "2024/mex/a.jpg", True),
        ("mex", "mexico/a.jpg", False),
        ("/mex", "2024/mex/a.jpg", False),
        ("mex/", "2024/mex", False),
        ("*.jpg", "d/A.JPG", True),
        ("2024/*.jpg", "2024/a.jpg", True),
        ("2024/*.jpg", "2024/d/a.jpg", False),
        ("2024/**/*.jpg", "2024/d/e/a.jpg", True),
        ("**/raw", "a/b/raw/x.jpg", True),
        ("?.jpg", "é.jpg", True),  # one character, although two bytes
        ("MÜLLER", "müller/a.jpg", True),
        ("müller", "mu\u0308ller/a.jpg", True),  # as macOS stores it
        ("#1.jpg", "#1.jpg", True),  # an option has no comments
        ("\\!a.jpg", "!a.jpg", True),
        ("a, b.jpg", "a, b.jpg", True),
    ],
)
def test_a_pattern_and_a_path(given, path, is_taken):
    assert taken([given], [os.fsencode(path)]) == ({os.fsencode(path)} if is_taken else set())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "a pattern as in .gitignore"),
        ("/", "a pattern as in .gitignore"),
        ("!", "a pattern as in .gitignore"),
        ("a[b", "a pattern whose [ has a ]"),
        ("a\\", "does not end with one \\"),
        ("[[:letters:]]", "one of the classes [:alnum:]"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(given, sentence):
    with pytest.raises(ConfigError) as refused:
        Selection(include=(given,))
    assert sentence in refused.value.message
    assert "selection.include[0]" in refused.value.message
