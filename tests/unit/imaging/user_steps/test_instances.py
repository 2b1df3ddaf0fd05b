"""Classes of the user's own as steps: settings, one open instance in a process, and what they declare."""

import sys

import numpy as np
import pytest

import pixmill
from pixmill.core.errors import RecipeError, TransformError
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Resources
from pixmill.imaging.operations.python import Python
from pixmill.imaging.user_steps.step import Step

STEPS = """
from typing import Annotated

from msgspec import Meta

import pixmill

CALLS = []


class Add(pixmill.Step):
    version = "3"
    memory = "200MB"
    open_timeout = "90s"
    needs = ("network", "cache")
    batch_size = 4
    amount: Annotated[int, Meta(ge=1, le=200)] = 1
    name: str = ""

    def open(self):
        CALLS.append("open")
        self.offset = 100

    def __call__(self, image):
        return pixmill.Image.from_numpy(image.to_numpy() + self.offset + self.amount)

    def close(self):
        CALLS.append("close")


class Bare(pixmill.Step):
    def __call__(self, image):
        return image


class Required(pixmill.Step):
    model: str


class Broken(pixmill.Step):
    def open(self):
        raise OSError("no such model")


class Placed(pixmill.Step):
    num_gpus = 0.5
    resources = {"scanner": 1, "none": 0}

    def __call__(self, image):
        return image


class Uneven(Placed):
    num_gpus = 1.5


class Negative(Placed):
    resources = {"scanner": -1}


class Nameless(pixmill.Step):
    batch_size = 0


class Stranger:
    pass


class Greedy(pixmill.Step):
    def batch(self, images):
        return []


def function(image):
    return image
"""
PICTURE = Image.from_numpy(np.array([[1, 2], [3, 4]], np.uint8))


@pytest.fixture
def name(tmp_path):
    (tmp_path / "steps.py").write_text(STEPS)
    return lambda cls: f"{tmp_path / 'steps.py'}:{cls}"


def test_an_instance_is_opened_once_keeps_what_it_loaded_and_is_closed(name):
    step = Python(function=name("Add"), settings={"amount": 5})
    step.open()
    for _ in range(3):
        assert step.apply(PICTURE).to_numpy()[..., 0].tolist() == [[106, 107], [108, 109]]
    step.close()
    calls = next(module.CALLS for module in list(sys.modules.values()) if getattr(module, "__file__", "") == name("Add")[:-4])
    assert calls == ["open", "close"]


def test_what_follows_the_name_sets_the_settings_of_the_class(name):
    typed = Operation.from_builtins(f"python:function={name('Add')},amount=7")
    table = Operation.from_builtins({"operation": "python", "function": name("Add"), "amount": 7})
    assert typed == table == Python(function=name("Add"), settings={"amount": 7})
    assert typed.text() == f"python:function={name('Add')},amount=7"
    assert Operation.from_builtins(typed.to_builtins()) == typed


@pytest.mark.parametrize(
    ("cls", "settings", "sentence"),
    [
        ("Add", {"amount": 0}, "python.amount: expected an integer from 1 to 200, received 0"),
        ("Add", {"amount": "much"}, "python.amount: expected an integer from 1 to 200, received much"),
        ("Add", {"amout": 3}, "python.amout: no such setting; did you mean 'amount'"),
        ("Bare", {"amount": 3}, "python.amount: no such setting"),
        ("Required", {}, "python.model: expected a value, received none"),
        ("Stranger", {}, "is a class, but not a step"),
        ("function", {"amount": 3}, "is a function, which has no settings"),
        ("Missing", {}, "has no function called Missing"),
    ],
)
def test_wrong_settings_stop_a_run_before_it_starts(name, cls, settings, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Python(function=name(cls), settings=settings).resolved()


def test_a_model_that_cannot_be_loaded_is_no_fault_of_an_image(name):
    with pytest.raises(RecipeError, match=r"Broken.open raised OSError: no such model \(steps.py, line 42, in open\)"):
        Python(function=name("Broken")).open()


def test_a_batch_that_comes_back_short_fails_the_image(name):
    with pytest.raises(TransformError, match="raised TypeError: expected 1 image, received 0"):
        Python(function=name("Greedy")).apply(PICTURE)


def test_what_a_class_declares_is_read_and_checked(name):
    assert Python(function=name("Add")).resources == Resources(200_000_000, 90.0, ("network", "cache"), 4)
    assert Python(function=name("Bare")).resources == Resources(open_timeout=600.0)
    assert Python(function=name("function")).resources == Resources()
    with pytest.raises(RecipeError, match=r"python.batch_size: expected an integer from 1 to 32, received 0"):
        _ = Python(function=name("Nameless")).resources


def test_what_a_class_needs_of_a_node_is_read_and_checked(name):
    assert Python(function=name("Placed")).resources.cluster == (("GPU", 0.5), ("scanner", 1.0))
    with pytest.raises(RecipeError, match=r"python.num_gpus: expected a part of one GPU or a whole number, received 1.5"):
        _ = Python(function=name("Uneven")).resources
    with pytest.raises(RecipeError, match=r"python.resources.*: expected a number of at least 0, received -1"):
        _ = Python(function=name("Negative")).resources


def test_the_version_of_the_class_is_part_of_the_recipe_and_no_part_of_what_is_typed(name):
    step = Python(function=name("Add"))
    assert step.resolved().version == "3"
    assert step.resolved().fingerprint() != step.fingerprint()
    assert step.resolved().text() == step.text()
    assert Python(function=name("function")).resolved() == Python(function=name("function"))


class Here(Step):
    """A step of this module."""

    amount: int = 2

    def __call__(self, image):
        return Image.from_numpy(image.to_numpy() + self.amount)


@pytest.mark.parametrize(("given", "amount"), [(Here(amount=9), 9), (Here, 2)])
def test_an_instance_or_a_class_is_a_step_of_a_recipe(given, amount):
    (step, *_) = pixmill.Recipe(steps=[given], renditions=[{"encode": "png"}]).steps
    assert step.apply(PICTURE).to_numpy()[0, 0, 0] == 1 + amount
