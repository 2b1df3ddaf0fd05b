"""New versions of libraries make no output again, unless that is asked for; and what older ones made is told.

Another version is simulated by a ledger that says that its outputs were made with it.
"""

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from pixmill.imaging.version import ENGINE, LIBVIPS
from support.invariants import identities

from .conftest import write_picture

OLD = "8.1.1"
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "deep/c.png"):
        write_picture(tmp_path / "in" / name)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def run(pixmill, *words):
    """Run with ``--json``; return the report."""
    ended = pixmill("run", *words, "--size", "20x20", "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def plan(pixmill, *words):
    return json.loads(pixmill("plan", *words, "--size", "20x20", "--json").stdout.splitlines()[-1])


def age(out):
    """Make the ledger say that all outputs so far were made with another libvips."""
    with closing(sqlite3.connect(out / ".pixmill" / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE toolset SET versions = replace(versions, ?, ?)", (f"libvips {LIBVIPS}", f"libvips {OLD}"))
        ledger.commit()


def done_skipped(report):
    return report["counts"]["done"], report["counts"]["skipped"]


def test_outputs_of_an_older_library_are_kept_and_reported(pixmill, folder, out):
    run(pixmill, folder, out)
    age(out)
    before = identities(out)
    assert plan(pixmill, folder, out)["older"] == {f"libvips {OLD}": 3}
    report = run(pixmill, folder, out)
    assert done_skipped(report) == (0, 3)
    assert report["older"] == {f"libvips {OLD}": 3}
    assert identities(out) == before
    told = f"3 images made with libvips {OLD}"
    assert f"{told}: kept (to make them again: --on-upgrade remake)" in pixmill("run", folder, out, "--size", "20x20").stderr
    assert told in pixmill("plan", folder, out, "--size", "20x20").stdout
    assert told in pixmill("status", out).stdout
    assert json.loads(pixmill("status", out, "--json").stdout)["older"] == {f"libvips {OLD}": 3}


def test_only_older_outputs_are_made_again_if_asked(pixmill, folder, out):
    run(pixmill, folder, out)
    age(out)
    write_picture(folder / "new.png")
    run(pixmill, folder, out)
    before = identities(out)
    planned = plan(pixmill, folder, out, "--on-upgrade", "remake")
    assert (planned["to_do"], planned["unchanged"], planned["older"]) == (3, 1, {f"libvips {OLD}": 3})
    report = run(pixmill, folder, out, "--on-upgrade", "remake")
    assert done_skipped(report) == (3, 1)
    assert report["older"] == {}
    after = identities(out)
    assert after["new.jpg"] == before["new.jpg"]
    assert all(after[name][0] != before[name][0] for name in ("a.jpg", "b.jpg", "deep/c.jpg"))
    assert done_skipped(run(pixmill, folder, out, "--on-upgrade", "remake")) == (0, 4)
    assert json.loads(pixmill("status", out, "--json").stdout)["older"] == {}


@pytest.mark.parametrize("encode", ["jpeg:effort=best", "webp:effort=fast", "png:effort=best", "jpeg"])
def test_outputs_of_an_earlier_meaning_of_the_effort_are_kept_until_asked_for(pixmill, folder, out, encode):
    run(pixmill, folder, out, "--format", encode)
    made = {path: path.read_bytes() for path in out.rglob("[abc].*")}
    present = ENGINE.partition(" ")[0]
    with closing(sqlite3.connect(out / ".pixmill" / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE toolset SET versions = replace(versions, ?, ?)", (f"pixmill {present},", "pixmill 5,"))
        ledger.commit()
    before = identities(out)
    report = run(pixmill, folder, out, "--format", encode)
    assert done_skipped(report) == (0, 3)
    assert report["older"] == {"revision 5 of pixmill's processing": 3}
    assert identities(out) == before
    assert done_skipped(run(pixmill, folder, out, "--format", encode, "--on-upgrade", "remake")) == (3, 0)
    assert {path: path.read_bytes() for path in made} == made


def test_a_new_rendition_is_made_beside_the_older_one(pixmill, folder, out, tmp_path):
    recipe, rendition = tmp_path / "recipe.toml", '[[renditions]]\nname = "%s"\nencode = {format = "%s"}\n'
    options = ("--recipe", recipe, "--name", "{dir}/{stem}-{rendition}.{ext}")
    recipe.write_text(rendition % ("small", "jpeg"))
    run(pixmill, folder, out, *options)
    age(out)
    before = identities(out)
    recipe.write_text(rendition % ("small", "jpeg") + rendition % ("other", "png"))
    assert done_skipped(run(pixmill, folder, out, *options)) == (3, 0)
    after = identities(out)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before
    assert run(pixmill, folder, out, *options)["older"] == {f"libvips {OLD}": 3}


def test_the_outputs_of_an_earlier_ledger_are_of_unknown_versions(pixmill, tmp_path):
    with tarfile.open(FIXTURES / "ledgers" / "plain.tar.gz") as archive:
        archive.extractall(tmp_path, filter="fully_trusted")
    (tmp_path / "in" / "broken.jpg").unlink()
    words = (tmp_path / "in", tmp_path / "out", "--size", "8x8", "--format", "jpeg")
    before = identities(tmp_path / "out")
    assert "5 images made with versions that were not recorded" in pixmill("status", tmp_path / "out").stdout
    assert "5 images made with versions that were not recorded: kept" in pixmill("run", *words).stderr
    assert identities(tmp_path / "out") == before
    ended = pixmill("run", *words, "--on-upgrade", "remake", "--json")
    assert done_skipped(json.loads(ended.stdout.splitlines()[-1])) == (5, 0)
    ended = pixmill("run", *words, "--on-upgrade", "remake", "--json")
    assert done_skipped(json.loads(ended.stdout.splitlines()[-1])) == (0, 5)
