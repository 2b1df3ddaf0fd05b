"""An invalid command line exits with 2 (or 3), prints one message, and writes nothing."""

from pathlib import Path

import pytest

RUN = ("run", "photos", "out")
FIT = "expected one of inside, cover, contain, fill, outside"
SIZE = "expected a size such as 1920x1080, 1920x or x1080 with sides of at least 1"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("rnu", "photos", "out"), "unknown command 'rnu'; did you mean 'run'?"),
        ((*RUN, "--sise", "800x600"), "unknown option --sise; did you mean '--size'?"),
        ((*RUN, "--overwrit"), "unknown option --overwrit; did you mean '--overwrite'?"),
        ((*RUN, "--sise=800x600"), "unknown option --sise; did you mean '--size'?"),
        ((*RUN, "--siz", "800x600"), "unknown option --siz; did you mean '--size'?"),
        ((*RUN, "-z"), "unknown option -z"),
        ((*RUN, "--workers", "many"), "--workers: expected an integer of at least 1, received many"),
        ((*RUN, "--workers", "0"), "--workers: expected an integer of at least 1, received 0"),
        ((*RUN, "--attempts", "0"), "--attempts: expected an integer from 1 to 1000, received 0"),
        ((*RUN, "--attempts", "-1"), "--attempts: expected an integer from 1 to 1000, received -1"),
        ((*RUN, "--timeout", "soon"), "--timeout: expected a duration such as 30s, 500ms or 5m, received soon"),
        ((*RUN, "--timeout", "0"), "--timeout: expected a duration such as 30s, 500ms or 5m, and more than 0, received 0"),
        ((*RUN, "--attempts", "9999"), "--attempts: expected an integer from 1 to 1000, received 9999"),
        ((*RUN, "--max-pixels", "big"), "--max-pixels: expected a number of pixels such as 100MP, received big"),
        ((*RUN, "--fit", "insde"), f"--fit: {FIT}, received insde; did you mean 'inside'?"),
        ((*RUN, "--size", "0x5"), f"--size: {SIZE}, received 0x5"),
        ((*RUN, "--quality", "101"), "jpeg.quality: expected an integer from 1 to 100, received 101"),
        ((*RUN, "--format", "jpge"), "unknown format 'jpge'; did you mean 'jpeg'?"),
        ((*RUN, "--format", "jpeg:qualty=3"), "jpeg.qualty: no such setting; did you mean 'quality'?"),
        ((*RUN, "--step", "resiz:width=3"), "unknown operation 'resiz'; did you mean 'resize'?"),
        ((*RUN, "--step", "resize:widht=3"), "resize.widht: no such setting; did you mean 'width'?"),
        ((*RUN, "--step", "resize:width=0"), "resize.width: expected an integer of at least 1, received 0"),
        ((*RUN, "--shard", "4/3"), "--shard: expected a shard such as 3/16, the first being 1/16, received 4/3"),
        ((*RUN, "--size"), "--size needs a value: a size such as 1920x1080, 1920x, x1080, 50% or 2MP, or keep"),
        ((*RUN, "--size", "half"), "--size: expected a size such as 1920x1080, 1920x, x1080, 50% or 2MP, or keep, received half"),
        ((*RUN, "--force=yes"), "--force takes no value"),
        ((*RUN, "--name", "../{stem}.{ext}"), "--name: expected a path below the destination, without '.' and '..', "),
        ((*RUN, "--name", "{stem}.png"), "name: {stem}.png has the extension of PNG, but JPEG is to be written"),
        (("verify", "out", "third"), "unexpected argument third: expected DST"),
        (("run",), "SRC is missing: give a folder or bucket of images, "),
        (("run", "photos"), "DST is missing: give a folder or bucket for the outputs"),
        (("run", "", "out"), "SRC must not be empty"),
        (("run", "nowhere", "out"), "SRC nowhere does not exist"),
        (("run", "photos", "photos"), "SRC photos and DST photos are the same folder"),
        (("run", "photos", "photos/../photos/"), "SRC photos and DST photos/../photos are the same folder"),
        (("run", "photos", "photos/p1.jpg"), "DST photos/p1.jpg looks like a file, but SRC photos is a folder"),
        (("run", "photos", "empty/notes.txt"), "DST empty/notes.txt is a file, but must be a folder"),
        (("run", "empty", "out"), "no images found in empty (1 other file)"),
        ((*RUN, "--config", "nowhere.toml"), "nowhere.toml cannot be read: No such file or directory"),
        ((*RUN, "--recipe", "nowhere.toml"), "nowhere.toml: cannot be read: No such file or directory"),
        (("status", "nowhere"), "no pixmill run found in nowhere"),
        (("retry", "photos"), "no pixmill run found in photos"),
        (("explain", "resise"), "unknown topic 'resise'; did you mean 'resize'?"),
    ],
)  # fmt: skip
def test_one_message_names_the_mistake(pixmill, photos, words, sentence):
    (photos.parent / "empty").mkdir()
    (photos.parent / "empty" / "notes.txt").write_text("no picture")
    before = _tree(photos.parent)
    result = pixmill(*words)
    assert result.stderr.splitlines()[0].startswith(f"pixmill: {sentence}")
    assert len(result.stderr.splitlines()) <= 2  # the second line is a hint
    assert (result.returncode, result.stdout) == (2, "")
    assert _tree(photos.parent) == before


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PIXMILL_SISE": "800x600"}, "unknown variable PIXMILL_SISE; did you mean 'PIXMILL_SIZE'?"),
        ({"PIXMILL_WORKERS": "many"}, "PIXMILL_WORKERS: expected an integer of at least 1, received many"),
        ({"PIXMILL_FORCE": "perhaps"}, "PIXMILL_FORCE: expected true or false, received perhaps"),
    ],
)
def test_a_variable_is_refused_by_its_own_name(pixmill, photos, variables, sentence):
    result = pixmill("run", photos, "out", env=variables)
    assert result.stderr.splitlines()[0] == f"pixmill: {sentence}"
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("sise = '800x600'", "job.toml: sise: unknown option; did you mean 'size'?"),
        ("workers = 'many'", "job.toml: workers: expected an integer of at least 1, received many"),
        ("workers = ", "job.toml is not valid TOML: "),
        ("[recipe]\nbackgroud = 'red'", "recipe.backgroud: no such setting; did you mean 'background'?"),
        ("[recipe]\nsteps = [{operation = 'resize', width = 0}]", "resize.width: expected an integer of at least 1, received 0"),
    ],
)
def test_a_line_of_a_file_is_refused_by_its_own_name(pixmill, photos, toml, sentence):
    (photos.parent / "job.toml").write_text(toml)
    result = pixmill("run", photos, "out", "--config", "job.toml")
    assert result.stderr.splitlines()[0].startswith(f"pixmill: {sentence}")
    assert result.returncode == 2


def test_an_escape_sequence_in_a_word_does_not_reach_the_terminal(pixmill):
    for words in (("run", "\x1b[31mred", "out"), ("\x1b[31mred",), ("run", "--\x1b[31mred"), ("explain", "\x1b[31mred")):
        result = pixmill(*words)
        assert result.returncode == 2
        assert "\x1b" not in result.stdout + result.stderr
        assert "\\x1b[31mred" in result.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="root may write anywhere else")
def test_a_destination_that_cannot_be_written_stops_the_run_before_it_starts(pixmill, photos):
    result = pixmill("run", photos, "/proc/self/out")
    assert result.returncode == 3
    assert result.stderr.startswith("pixmill: ")
    assert len(result.stderr.splitlines()) <= 2


def test_a_bug_is_reported_in_one_line_and_with_a_traceback_only_on_request(pixmill, tmp_path):
    # a broken plugin command is the simplest bug to provoke
    site = tmp_path / "site"
    (site / "broken-1.0.dist-info").mkdir(parents=True)
    (site / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (site / "broken-1.0.dist-info" / "entry_points.txt").write_text("[pixmill.cli.commands]\nbroken = broken:Broken\n")
    (site / "broken.py").write_text(
        "from pixmill.cli.command import Command\n\n\n"
        "class Broken(Command):\n    '''Break.'''\n\n    def execute(self):\n        raise ZeroDivisionError('\\x1b[31mred')\n"
    )
    result = pixmill("broken", env={"PYTHONPATH": str(site)})
    assert result.returncode == 3
    assert result.stderr.splitlines()[0] == "pixmill: unexpected ZeroDivisionError: \\x1b[31mred"
    assert "Traceback" not in result.stderr
    traceback = pixmill("broken", env={"PYTHONPATH": str(site), "PIXMILL_DEBUG": "1"}).stderr
    assert "Traceback" in traceback
    assert "\x1b" not in traceback


def _tree(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))
