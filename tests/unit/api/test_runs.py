"""Runs from Python: the parameters, and the outcome of each image."""

from pathlib import Path

import pytest
from PIL import Image

import pixmill
from pixmill.core.errors import ConfigError


@pytest.fixture
def photos(tmp_path):
    """Return a folder with two photos and a damaged one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (60, 40)).save(folder / name)
    (folder / "c.jpg").write_bytes((folder / "b.jpg").read_bytes()[:300])
    return folder


def results(*arguments, **options):
    with pixmill.open_run(*arguments, workers=1, **options) as run:
        return {image.source: image for image in run.results()}


def test_the_outcome_of_each_image_is_in_plain_words(photos, tmp_path):
    outcomes = results(photos, tmp_path / "out", sizes=[10, 20], format="webp")
    assert {source: outcome.state for source, outcome in outcomes.items()} == {"a.jpg": "done", "b.jpg": "done", "c.jpg": "failed"}
    files = outcomes["a.jpg"].outputs
    assert [(file.path, file.width, file.height, file.format, file.rendition) for file in files] == [
        ("a-10.webp", 10, 7, "webp", "10"),
        ("a-20.webp", 20, 13, "webp", "20"),
    ]
    assert all((tmp_path / "out" / file.path).stat().st_size == file.size for file in files)
    assert outcomes["c.jpg"].code == "truncated"
    assert outcomes["c.jpg"].message
    assert not outcomes["c.jpg"].outputs


def test_what_is_unchanged_is_skipped_and_says_so(photos, tmp_path):
    results(photos, tmp_path / "out")
    outcomes = results(photos, tmp_path / "out")
    assert [(outcomes[name].state, outcomes[name].code) for name in ("a.jpg", "b.jpg")] == [("skipped", "unchanged")] * 2


def test_leaving_early_stops_the_run_and_the_next_one_does_the_rest(photos, tmp_path):
    with pixmill.open_run(photos, tmp_path / "out", workers=1) as run:
        first = next(run.results())
    assert run.report().reason == "interrupted"
    outcomes = results(photos, tmp_path / "out")
    assert len(outcomes) == 3
    assert first.source in outcomes


@pytest.mark.parametrize(
    "recipe",
    [
        pixmill.Recipe(renditions=[pixmill.Rendition(encode="webp")]),
        {"renditions": [{"encode": "webp"}]},
        Path("recipe.toml"),
        "recipe.toml",
    ],
)
def test_a_recipe_is_a_model_a_table_or_a_file(photos, tmp_path, monkeypatch, recipe):
    (tmp_path / "recipe.toml").write_text('[[renditions]]\nencode = "webp"\n')
    monkeypatch.chdir(tmp_path)
    pixmill.run(photos, "out", recipe, workers=1)
    assert {path.name for path in Path("out").glob("[!.]*")} == {"a.webp", "b.webp"}


def test_options_may_be_paths(photos, tmp_path):
    pixmill.run(photos, tmp_path / "out", workers=1, state=tmp_path / "state", index=tmp_path / "index.jsonl")
    assert (tmp_path / "state").is_dir()
    assert (tmp_path / "index.jsonl").read_text().count("\n") == 2


def test_a_wrong_keyword_is_refused_before_anything_is_made(photos, tmp_path):
    with pytest.raises(ConfigError, match="wrokers: no such option; did you mean 'workers'"):
        pixmill.run(photos, tmp_path / "out", wrokers=3)
    assert not (tmp_path / "out").exists()


def test_progress_is_off_unless_it_is_asked_for(photos, tmp_path, capfd):
    pixmill.run(photos, tmp_path / "quiet", workers=1)
    assert capfd.readouterr() == ("", "")
    pixmill.run(photos, tmp_path / "out", workers=1, progress=True)
    out, err = capfd.readouterr()
    assert (out, err.splitlines()[-1].partition(" |")[0]) == ("", "[DONE] 3/3 (100.0%)")
