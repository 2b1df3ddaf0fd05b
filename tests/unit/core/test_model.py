"""Models check themselves however they were made, and say what is wrong in one sentence."""

from typing import Annotated, ClassVar, Literal

import pytest
from msgspec import Meta

from pixmill.core.errors import ConfigError, RecipeError
from pixmill.core.model import Model
from pixmill.core.registry import Registry
from pixmill.core.units import Pixels, Size
from pixmill.core.variant import Variant


class Shape(Variant, frozen=True, kw_only=True, tag_field="shape"):
    error: ClassVar = RecipeError


class Circle(Shape, frozen=True, kw_only=True, tag="circle"):
    radius: Annotated[int, Meta(ge=1, description="half the width")] = 1


class Box(Model, frozen=True, kw_only=True):
    width: Annotated[int, Meta(ge=1, le=100)] | None = None
    fit: Literal["inside", "cover"] = "inside"
    size: Size | None = None
    area: Pixels = Pixels(4)
    names: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    strict: bool = True


class Known(Registry):
    def get(self, name):
        return {"circle": Circle}[name]


Shape.registry = Known("none", Shape, "shape")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"width": 0}, "box.width: expected an integer from 1 to 100, received 0"),
        ({"width": True}, "box.width: expected an integer from 1 to 100, received True"),
        ({"fit": "covr"}, "box.fit: expected one of inside, cover, received covr; did you mean 'cover'?"),
        ({"area": "lots"}, "box.area: expected a number of pixels such as 100MP, received lots"),
        ({"size": "0x3"}, "box.size: expected a size such as 1920x1080, 1920x or x1080 with sides of at least 1, received 0x3"),
        ({"names": "a"}, 'box.names: expected a list, such as ["a"], received a'),
        ({"names": ["a", 4]}, "box.names[1]: expected text, received 4"),
        ({"strict": "yes"}, "box.strict: expected true or false, received yes"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected_however_the_model_is_made(values, sentence):
    for make in (lambda: Box(**values), lambda: Box.from_builtins(values), lambda: Box().evolve(**values)):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value) == sentence


def test_an_unknown_setting_is_answered_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"^box\.widht: no such setting; did you mean 'width'\?\nbox has width, fit, "):
        Box.from_builtins({"widht": 3})


def test_what_people_write_becomes_what_the_field_declares():
    box = Box(size="800x600", area="2MP", names=["a"], shapes=["circle:radius=3", {"shape": "circle"}])
    assert (box.size, box.area, box.names, box.shapes) == (Size(800, 600), 2_000_000, ("a",), (Circle(radius=3), Circle()))


def test_a_model_survives_the_way_through_plain_data():
    box = Box(width=5, size="800x", area="4MP", shapes=[Circle(radius=2)])
    assert Box.from_builtins(box.to_builtins()) == box


def test_the_fingerprint_changes_exactly_when_a_value_does():
    assert Box().fingerprint() == Box(area=4).fingerprint()
    assert Box().fingerprint() != Box(area=5).fingerprint()
    assert Box(shapes=[Circle()]).fingerprint() != Box(shapes=[Circle(radius=2)]).fingerprint()


def test_a_member_of_a_family_raises_the_error_of_its_family():
    with pytest.raises(RecipeError, match=r"^circle\.radius: expected an integer of at least 1, received 0$"):
        Box(shapes=["circle:radius=0"])
    with pytest.raises(RecipeError, match=r"^circle\.radios: no such setting; did you mean 'radius'\?\ncircle has radius$"):
        Box(shapes=[{"shape": "circle", "radios": 1}])


def test_a_model_cannot_be_changed():
    with pytest.raises(AttributeError):
        Box().width = 3
