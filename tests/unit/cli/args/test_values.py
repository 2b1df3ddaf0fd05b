from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from pixmill.batch.config.options import options
from pixmill.cli.args.values import checked, default_text, describe_type, is_repeatable, placeholder
from pixmill.core.errors import ConfigError
from pixmill.core.units import ByteSize, Duration, Size
from pixmill.imaging.codec import Codec
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.codecs.png import Png
from pixmill.imaging.codecs.webp import Webp
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.flip import Flip
from pixmill.imaging.operations.pad import Pad


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("8", int, 8),
        ("-8", int | None, -8),
        ("0.5", Annotated[float, Meta(ge=0)], 0.5),
        ("yes", bool, True),
        ("OFF", bool, False),
        ("0", bool, False),
        ("800x600", Size | None, Size(800, 600)),
        ("2GB", Annotated[ByteSize, Meta(description="memory")], 2_000_000_000),
        ("5m", Duration, 300),
        ("cover", Literal["inside", "cover"], "cover"),
        ("a,b", tuple[str, ...], ("a,b",)),
        (["a", "b,c"], tuple[str, ...], ("a", "b,c")),
        ("a\nb", tuple[str, ...], ("a", "b")),
        ("320, 640", tuple[int, ...], (320, 640)),
        (["320", "640,1280"], tuple[int, ...], (320, 640, 1280)),
        ("webp,jpeg", tuple[Codec, ...], (Webp(), Jpeg())),
        ("webp:quality=70,effort=fast,png", tuple[Codec, ...], (Webp(quality=70, effort="fast"), Png())),
        ("png,webp:quality=70,PNG", tuple[Codec, ...], (Png(), Webp(quality=70), Png())),
        ("webp:quality=70,png:compression=3", tuple[Codec, ...], (Webp(quality=70), Png(compression=3))),
        ("pad:border=1,background=255,136,0,flip", tuple[Operation, ...], (Pad(border=1, background="255,136,0"), Flip())),
        ("webp:quality=70,effort=fast", tuple[Codec, ...], (Webp(quality=70, effort="fast"),)),
        (8, Literal["8", "keep"], "8"),
        ("plain text, with a comma", str, "plain text, with a comma"),
    ],
)
def test_text_becomes_what_the_declared_type_holds(text, kind, value):
    assert checked(text, kind, "--it") == value


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("x", Annotated[int, Meta(ge=1)], "--it: expected an integer of at least 1, received x"),
        ("0", Annotated[int, Meta(ge=1)], "--it: expected an integer of at least 1, received 0"),
        ("0", Annotated[int | None, Meta(ge=1, le=9)], "--it: expected an integer from 1 to 9, received 0"),
        ("perhaps", bool, "--it: expected true or false, received perhaps"),
        ("320,x", tuple[int, ...], "--it: expected an integer, received x"),
        ("insid", Literal["inside", "cover"], "--it: expected one of inside, cover, received insid; did you mean 'inside'?"),
    ],
)
def test_what_does_not_fit_is_told_with_the_name_it_was_given_under(text, kind, sentence):
    with pytest.raises(ConfigError) as raised:
        checked(text, kind, "--it")
    assert raised.value.message == sentence


@settings(deadline=None)  # the first text imports every operation
@given(st.text())
def test_any_text_is_a_value_or_a_sentence(text):
    for option in options().values():
        try:
            checked(text, option.field.type, "--it")
        except ConfigError as error:
            assert error.message  # noqa: PT017  # either outcome is right; what must not come is another exception


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (int, "N"),
        (str | None, "TEXT"),
        (Annotated[str | None, Meta(extra={"value": "FILE"})], "FILE"),
        (Duration, "TIME"),
        (Literal["inside", "cover"], "inside|cover"),
        (tuple[int, ...], "N,..."),
        (tuple[str, ...], "TEXT"),
        (Operation, "OPERATION"),
        (Codec | None, "FORMAT"),
    ],
)
def test_a_value_has_a_word_for_it_in_the_help(kind, word):
    assert placeholder(kind) == word


def test_every_option_can_be_shown_and_its_default_parses_back():
    for option in options().values():
        text = default_text(option.field)
        assert " at 0x" not in text
        if text and not is_repeatable(option.field.type):
            assert checked(text, option.field.type, "--it") == option.field.default


def test_what_is_accepted_is_told_in_words():
    assert describe_type(tuple[int, ...]) == "a list, each an integer"
    assert describe_type(Codec) == "the format's name, optionally with settings: NAME:key=value,..."
