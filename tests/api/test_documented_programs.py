"""The Python programs of the documentation run as they stand, in a folder with nothing but photos."""

import pytest
from PIL import Image

from support.documented_programs import documented_programs

PROGRAMS = documented_programs()


@pytest.fixture
def result(request, desk, python):
    (desk / "program.py").write_text(PROGRAMS[request.param])
    return python("program.py")


def test_there_are_programs():
    assert len(PROGRAMS) >= 6


@pytest.mark.parametrize("result", PROGRAMS, indirect=True)
def test_a_program_runs_as_it_stands(result):
    assert (result.returncode, result.stdout != "" or result.stderr == "") == (0, True), result.stderr


@pytest.mark.parametrize("result", ["python_1.py"], indirect=True)
def test_the_first_program_does_what_it_says(result, desk):
    assert "Counts(done=2, skipped=0, failed=0, pending=0)" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("256 192 ")
    assert "[DONE] 2/2" in result.stderr
    with Image.open(desk / "out" / "a.jpg") as output:
        assert output.size == (800, 400)


@pytest.mark.parametrize("result", ["python_3.py"], indirect=True)
def test_the_outcome_of_each_image_is_printed(result):
    lines = [line for line in result.stdout.splitlines() if " -> " in line]
    assert len(lines) == 8
    assert any(line.startswith("a.jpg -> a-320.webp 320x160 ") for line in lines)
    assert "Counts(done=2, skipped=0" in result.stdout


@pytest.mark.parametrize("result", ["python_4.py"], indirect=True)
def test_each_kind_of_image_is_processed(result, desk):
    assert result.stdout.startswith("jpeg 640 483 ")
    for name, size in {"thumbnail.webp": (256, 192), "gradient.png": (256, 64)}.items():
        with Image.open(desk / name) as output:
            assert output.size == size


@pytest.mark.parametrize("result", ["python_5.py"], indirect=True)
def test_all_outputs_of_one_image_are_written(result, desk):
    assert result.returncode == 0
    assert {path.name for path in desk.glob("photo-*")} == {"photo-large.webp", "photo-square.jpeg"}


@pytest.mark.parametrize("result", ["python_8.py"], indirect=True)
def test_an_error_is_printed_with_its_suggestion(result):
    assert "did you mean 'webp'" in result.stdout
