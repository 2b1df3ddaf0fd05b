"""The jobs of docs/howto.md, typed as they stand in a folder with ordinary inputs, and judged by the files that come out.

Each job of the page has a judge in ``everyday/``, by its title. A judge prepares what the sentence above the command assumes,
types the commands (``desk.type``), and looks at the outputs with Pillow.
"""

import shutil

import pytest
from tests.cli.everyday import (
    before_during_and_after,
    considerate_and_elsewhere,
    look_and_metadata,
    most_common,
    size_and_shape,
    which_pictures,
)

from support.documented_jobs import documented_jobs
from support.everyday_desk import Desk, shell_environment, write_desk

JOBS = documented_jobs()
#: in the order of the page
GROUPS = (most_common, size_and_shape, look_and_metadata, which_pictures, before_during_and_after, considerate_and_elsewhere)
JUDGES = {title: judge for group in GROUPS for title, judge in group.judges.items()}


def test_every_job_has_a_judge_and_every_judge_a_job():
    assert list(JOBS) == [title for group in GROUPS for title in group.judges]
    assert len(JOBS) >= 40
    assert all(job.commands for job in JOBS.values())


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return write_desk(tmp_path_factory.mktemp("desk") / "inputs")


@pytest.fixture
def desk_for(template, tmp_path, clean_environment):
    """Return a function that lays out the inputs for a job."""

    def lay_out(job):
        folder = shutil.copytree(template, tmp_path / "desk", symlinks=True)
        for name, text in job.files.items():
            (folder / name).write_text(text)
        return Desk(folder, job.commands, shell_environment(tmp_path / "bin", {**clean_environment, "TMPDIR": str(tmp_path)}))

    return lay_out


@pytest.mark.parametrize("title", JOBS)
def test_a_job(title, desk_for, request):
    desk = desk_for(JOBS[title])
    if any("s3://" in command for command in desk.blocks):
        desk.environment |= request.getfixturevalue("s3_environment")
    JUDGES[title](desk)
