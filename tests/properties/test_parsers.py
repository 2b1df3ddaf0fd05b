"""What reads bytes from outside ends, with an answer or an error of its own, however the bytes come."""

import io
import itertools
import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from pixmill.batch.naming.namer import Namer
from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.syntax import _RULES
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ConfigError, PixmillError, RecipeError
from pixmill.core.validation import DECODE_ERRORS
from pixmill.engine.ipc.messages import Cancelled, FrameReader, LoadFailed, Ready, TaskResult, message_frame, request_frame
from pixmill.engine.task import Failure
from pixmill.imaging.formats import formats, kind_of, sniff
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.dates import EXPECTED
from pixmill.imaging.parsers import jpeg, png
from pixmill.imaging.parsers.heif import av1, hevc, primary
from pixmill.imaging.pipeline.identify import identify, read_header
from pixmill.imaging.recipe import Recipe

MARKERS = st.sampled_from(
    [b"\xff\xd8", b"\xff\xda", b"\xff\xd9", b"\xff\xc0", b"\xff\xc2", b"\xff\xe1", b"\xff\xd0", b"\xff\xff", b"\0"]
)
JPEGS = st.lists(st.one_of(MARKERS, st.binary(max_size=12)), max_size=30).map(lambda parts: b"\xff\xd8" + b"".join(parts))
CHUNKS = st.lists(
    st.builds(
        lambda size, name, content: size.to_bytes(4) + name + content,
        st.one_of(st.integers(0, 40), st.just(2**32 - 1)),
        st.sampled_from([b"IHDR", b"acTL", b"gAMA", b"iCCP", b"IDAT", b"IEND", b"tEXt"]),
        st.binary(max_size=30),
    ),
    max_size=12,
).map(lambda chunks: b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join).map(lambda path: path.encode())


def cut(data, places):
    """Return ``data`` in pieces, cut at ``places``."""
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if data[start:end]]


def stored(kind, **settings):
    file = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").save(file, kind, **settings)
    return file.getvalue()


AVIF = stored("AVIF")
WHOLE = {
    kind: stored(kind, **settings)
    for kind, settings in {"JPEG": {"progressive": True}, "PNG": {}, "GIF": {}, "WEBP": {}, "TIFF": {}, "BMP": {}}.items()
}


@given(JPEGS, st.lists(st.integers(0, 400), max_size=6))
@example(b"\xff\xd8\xff\xda\xff\xda", [3])
@example(b"\xff\xd8\xff", [])
def test_the_count_of_scans_does_not_depend_on_how_the_file_was_cut(data, places):
    whole = jpeg.scan(iter([data]))
    assert jpeg.scan(iter(cut(data, places))) == whole
    assert 0 <= whole.scans <= data.count(b"\xff\xda")


@given(CHUNKS)
def test_the_chunks_of_a_png_are_read_whatever_they_are(data):
    found = png.scan(data)
    assert found.frames >= 1
    assert isinstance(png.profile_in(found.profile), bytes)


@given(st.integers(0, 1000), st.binary(min_size=1, max_size=12))
def test_what_a_damaged_avif_states_is_read_or_not_known(place, junk):
    whole = AVIF
    found = primary.read_primary(whole[:place] + junk + whole[place + len(junk) :])
    assert found.depth in (0, *range(8, 17))
    assert len(found.nclx) in (0, 4)


@given(st.binary(max_size=60))
def test_a_sequence_header_of_any_bytes_states_colours_or_is_refused(data):
    with suppress(ValueError, IndexError):
        av1.colour_config(b"\x0a" + bytes([len(data)]) + data)


@given(st.binary(max_size=80))
def test_a_parameter_set_of_any_bytes_states_colours_or_is_refused(data):
    with suppress(ValueError, IndexError):
        hevc.colour_config(bytes(22) + b"\1\xa1\0\1" + len(data).to_bytes(2) + data)


@given(st.binary(max_size=200))
def test_any_bytes_are_of_one_format_at_most_or_a_stranger(head):
    alike = [known for known in formats() if known.signature and re.match(known.signature, head, re.DOTALL)]
    assert sniff(head) == (alike[0] if alike else None)
    kind = kind_of(head)
    assert kind is None or kind.description
    with suppress(PixmillError):
        identify(Input(head))


@given(
    st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8), st.integers(0, 2000)
)
def test_a_header_that_was_damaged_is_read_or_refused_in_words(kind, damage, keep):
    data = bytearray(WHOLE[kind])
    for place, value in damage:
        data[place % len(data)] = value
    with suppress(PixmillError):
        header = read_header(Input(bytes(data[:keep] if keep > 100 else data)), Recipe())
        assert header.width >= 1
        assert header.height >= 1


@given(st.text(max_size=30))
def test_a_template_is_refused_or_stays_below_the_destination(text):
    try:
        template = Template.from_builtin(text)
    except ValueError as error:
        sentence = str(error)
        is_known = sentence in (EXPECTED, *(expected for expected, _ in _RULES)) or sentence.startswith("a field among ")
        assert is_known, sentence  # sentences are part of the contract
        return
    filled = template.render(b"folder/photo.png", extension="jpg")
    assert not filled.startswith(b"/")
    assert b".." not in filled.split(b"/")
    assert Template.from_builtin(template.to_builtin()) == template


@given(st.sets(PATHS, min_size=1, max_size=12), st.sampled_from(["{dir}/{stem}.{ext}", "{stem}.{ext}", "{hash}.{ext}", "{name}"]))
@example({b"a.jpg", b"a.png", b"A.gif"}, "{dir}/{stem}.{ext}")
@example({b"a.jpg", b"A.jpg"}, "{name}")
def test_no_two_sources_of_a_folder_get_one_name_in_whatever_order_they_come(sources, text):
    folder = {source.rpartition(b"/")[2] for source in sources}
    namer = Namer(Template(text), [("", lambda _: "jpg")])
    names = namer.names(sorted(folder))
    assert names == namer.names(sorted(folder, reverse=True))
    assert names.keys() == folder
    assert len({collision_key(name) for (name,) in names.values()}) == len(folder)


@given(st.text(max_size=80))
@example("steps = 3")
@example("[[renditions]]\nencode = {}")
@example("steps = [{operation = 'resize', width = -1}]")
def test_a_recipe_is_read_or_refused_in_words(text):
    try:
        recipe = Recipe.from_toml(text)
    except RecipeError as error:
        assert error.message  # noqa: PT017  # any sentence will do, an exception of another kind will not
        return
    assert Recipe.from_builtins(recipe.to_builtins()) == recipe


KEYS = st.sampled_from(
    [
        "steps",
        "renditions",
        "background",
        "color",
        "depth",
        "limits",
        "animated",
        "name",
        "operation",
        "width",
        "encode",
        "format",
        "quality",
    ]
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 10**12),
        st.floats(allow_nan=False),
        st.text(max_size=6),
        st.sampled_from(["resize", "jpeg", "keep"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_table_is_a_recipe_or_refused_in_words(table):
    with suppress(ConfigError):
        assert isinstance(Recipe.from_builtins(table), Recipe)


FAILURES = st.builds(Failure, code=st.text(max_size=5), stage=st.text(max_size=5), message=st.text(max_size=9))
MESSAGES = st.lists(
    st.one_of(
        st.just(Ready()),
        st.builds(LoadFailed, failure=FAILURES),
        st.builds(Cancelled, number=st.integers(0, 2**40)),
        st.builds(
            TaskResult,
            number=st.integers(0, 2**40),
            result=st.binary(max_size=40),
            failure=st.none() | FAILURES,
            seconds=st.floats(0, 9),
            timings=st.just({}),
            measures=st.just({}),
        ),
    ),
    max_size=6,
)


@given(MESSAGES, st.lists(st.integers(0, 400), max_size=6))
def test_messages_arrive_whole_however_the_stream_was_chopped(messages, places):
    inbox, arrived = FrameReader(), []
    for piece in cut(b"".join(map(message_frame, messages)), places):
        arrived += inbox.messages(piece)
    assert arrived == messages


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2**40), st.binary(max_size=20), st.integers(0, 2**40)), max_size=4), max_size=4),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_errands_arrive_whole_however_the_stream_was_chopped(errands, places):
    inbox, arrived = FrameReader(), []
    for piece in cut(b"".join(map(request_frame, errands)), places):
        arrived += inbox.requests(piece)
    assert arrived == [errand for group in errands for errand in group]


@given(st.binary(max_size=60))
@example(b"\x91\xa1\xff")  # a text that is no UTF-8
def test_a_frame_of_garbage_is_an_error_of_its_own(data):
    with suppress(*DECODE_ERRORS):
        FrameReader().messages(len(data).to_bytes(4, "little") + data)


def test_a_frame_that_never_ends_is_waited_for_and_nothing_is_made_of_it():
    assert FrameReader().messages(b"\xff\xff\xff\xff" + bytes(1000)) == []
    with pytest.raises(DECODE_ERRORS):
        FrameReader().messages(b"\x01\0\0\0\xc1")
