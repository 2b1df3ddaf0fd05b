"""A run that was interrupted leaves outputs of the recipe before it, and the status counts them."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

import pixmill
from pixmill.batch.config.models import RunConfig
from pixmill.batch.inspect.status import open_ledgers, status
from pixmill.batch.planning.plan import plan
from pixmill.batch.state.ledger_files import open_to_write
from pixmill.batch.state.stored_config import stored_config
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.recipe import Recipe, Rendition

SMALL = Recipe(renditions=(Rendition(encode=Jpeg(quality=70)),))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "src" / "sub").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
        Image.new("RGB", (16, 12), name and (90, 40, 20)).save(tmp_path / "src" / name)
    pixmill.run(str(tmp_path / "src"), str(tmp_path / "out"))
    return str(tmp_path / "src"), str(tmp_path / "out")


def begin_and_die(source: str, destination: str, recipe: Recipe, *, reached: int) -> None:
    """Do what a run has done that was killed when it had ``reached`` so many images: they are pending under their new id."""
    run_plan = plan(RunConfig(source=source, destination=destination, recipe=recipe))
    with closing(open_to_write(run_plan.locations.state)) as ledger:
        ledger.begin_run(stored_config(run_plan.config))
        ledger.get_or_add(list(run_plan.tasks())[:reached])


@pytest.mark.parametrize("reached", [0, 1, 3])
def test_outputs_that_it_did_not_reach_are_of_another_recipe(folders, reached):
    begin_and_die(*folders, SMALL, reached=reached)
    with open_ledgers(folders[1]) as ledgers:
        found = status(ledgers)
    assert (found.counts.done, found.counts.pending, found.other_recipe) == (3 - reached, reached, 3 - reached)


def test_there_are_none_when_the_recipe_is_the_same_or_the_run_ended(folders):
    begin_and_die(*folders, Recipe(), reached=1)
    with open_ledgers(folders[1]) as ledgers:
        assert status(ledgers).other_recipe == 0
    pixmill.run(*folders, SMALL)
    with open_ledgers(folders[1]) as ledgers:
        assert status(ledgers).other_recipe == 0
    begin_and_die(*folders, SMALL, reached=1)
    with open_ledgers(folders[1]) as ledgers:
        assert status(ledgers).other_recipe == 0, "the outputs of the first recipe have all been replaced"


def test_a_recipe_with_a_file_that_is_gone_cannot_be_compared(folders, tmp_path):
    mark = tmp_path / "mark.png"
    Image.new("RGBA", (4, 4)).save(mark)
    begin_and_die(*folders, Recipe.from_builtins({"steps": [{"operation": "watermark", "image": str(mark)}]}), reached=0)
    mark.unlink()
    with open_ledgers(folders[1]) as ledgers:
        assert status(ledgers).other_recipe is None


def test_an_index_leaves_out_images_that_are_gone_and_were_made_by_another_recipe(folders, tmp_path):
    (tmp_path / "src" / "a.jpg").unlink()
    indexes = []
    for recipe in (Recipe(), SMALL):
        pixmill.run(*folders, recipe, index=str(tmp_path / "index.jsonl"))
        indexes.append([json.loads(line)["source"] for line in (tmp_path / "index.jsonl").read_text().splitlines()])
    assert indexes == [["a.jpg", "b.jpg", "sub/c.jpg"], ["b.jpg", "sub/c.jpg"]]
