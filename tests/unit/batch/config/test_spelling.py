"""A hint that is composed with flags is written as the options are written elsewhere."""

import pytest

from pixmill.batch.config.spelling import IN_ENVIRONMENT, IN_FILE, IN_PYTHON, respelled


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("use --format webp", 'use format="webp"'),
        ("use --size 400x400 --fit cover, or --step grayscale.", 'use size="400x400", fit="cover", or step=["grayscale"].'),
        ("--formats jpg,webp and --sizes 320,640", 'formats=["jpg", "webp"] and sizes=[320, 640]'),
        ("--step resize:width=...,enlarge=true", 'step=["resize:width=...,enlarge=true"]'),
        ("omit --fit or --size", "omit fit or size"),
        ("--exclude leaves parts out", "exclude leaves parts out"),
        ("--exclude '*/' leaves them out", 'exclude=["*/"] leaves them out'),
        ("or allow it: --allow-truncated", "or allow it: allow_truncated=True"),
        ("use --attempts 3; pixmill retry out --timeout 5m", "use attempts=3; pixmill retry out --timeout 5m"),
        ("--jobs and --workers", "jobs and workers"),
        ("use --log-file FILE", "use the command's --log-file FILE"),
        ("DST and SRC", "destination and source"),
    ],
)
def test_python_has_keywords(text, python):
    assert respelled(text, IN_PYTHON) == python
    assert respelled(python, IN_PYTHON) == python


def test_a_file_has_lines_and_the_environment_variables():
    text = "use --size 400x400 --fit cover, or --never-bigger"
    assert respelled(text, IN_FILE) == 'use size = "400x400", fit = "cover", or never_bigger = true'
    assert respelled(text, IN_ENVIRONMENT) == "use PIXMILL_SIZE=400x400 PIXMILL_FIT=cover, or PIXMILL_NEVER_BIGGER=1"
