"""Each container gives back what was written into it, and reads any bytes without an error."""

import io
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.image import Image as Picture
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import exif, iptc
from pixmill.imaging.metadata.blocks import Blocks, Text, resolution
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

CODECS = {name: codec for name, codec in Codec.registry if codec.container is not None}
BLOCK = exif.with_resolution(b"", resolution(300, 300, "inch"))
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    b' rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="s"/></rdf:RDF></x:xmpmeta>'
)
BLOCKS = Blocks(
    exif=BLOCK, xmp=PACKET, iptc=b"\x1c\x02\x50\x00\x03Ada", resources=((0x040B, b"https://example.org"),),
    texts=(Text("Author", b"Zo\xeb", "latin-1"), Text("Title", "写真".encode(), "utf-8", b"ja")), comments=(b"a comment",),
    resolution=resolution(300, 300, "inch"),
)  # fmt: skip


@pytest.fixture(scope="module", params=CODECS)
def encoded(request):
    """Return a format's codec, and a file of its encoder."""
    recipe = Recipe.from_builtins({"steps": [], "renditions": [{"encode": request.param}]})
    file = io.BytesIO()
    Image.effect_noise((65, 49), 40).convert("RGB").save(file, "PNG")
    return CODECS[request.param], process(Input(file.getvalue()), recipe).outputs[0].data


def test_what_is_written_is_read_again(encoded):
    codec, data = encoded
    found = codec.container.read(codec.container.write(data, BLOCKS))
    assert exif.resolution(found.exif) == (exif.resolution(BLOCK) if "exif" in codec.container.holds else None)
    for part in codec.container.holds - {"resolution", *(["exif"] if codec.format.name == "tiff" else [])}:
        assert getattr(found, part) == getattr(BLOCKS, part), part
    if "resolution" in codec.container.holds:
        assert [round(side) for side in found.resolution.per("inch")] == [300, 300]


def test_the_pixels_are_the_same(encoded):
    codec, data = encoded
    inputs = (Input(data), Input(codec.container.write(data, BLOCKS)))
    plain, written = (codec.decode(each, codec.header(each), options=DecodeOptions()) for each in inputs)
    assert (plain.to_numpy() == written.to_numpy()).all()


def test_a_bare_file_has_no_metadata_and_the_same_pixels(encoded):
    codec, data = encoded
    bare = codec.container.bare(codec.container.write(data, BLOCKS))
    if bare is not None:
        assert codec.container.read(codec.container.write(bare, Blocks())) == Blocks()
        assert len(bare) <= len(data) + 40


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.format.animation])
def test_an_animation_keeps_its_frames(name):
    file, frames = io.BytesIO(), [Image.effect_noise((64, 48), spread).convert("RGB") for spread in (20, 60, 90)]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=100, xmp=PACKET)
    recipe = {"steps": [], "animated": "keep", "renditions": [{"encode": name}]}
    plain, described = (
        Image.open(
            io.BytesIO(process(Input(file.getvalue()), Recipe.from_builtins({**recipe, "metadata": policy})).outputs[0].data)
        )
        for policy in ("strip", "keep")
    )
    assert plain.n_frames == described.n_frames == 3
    for index in range(3):
        plain.seek(index)
        described.seek(index)
        assert plain.convert("RGB").tobytes() == described.convert("RGB").tobytes()


@given(st.data())
def test_any_bytes_are_read(encoded, data):
    codec, file = encoded
    written = bytearray(codec.container.write(file, BLOCKS)[:5000])
    for _ in range(data.draw(st.integers(0, 4))):
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    whole = bytes(written[: data.draw(st.integers(0, len(written)))])
    codec.container.read(whole)
    codec.container.bare(whole)


def test_a_profile_that_photoshop_packs_loses_its_thumbnail():
    packed = ((0x040C, b"secret thumbnail"), (0x0409, b"secret"), (0x040A, b"\1"))
    resources = iptc.packed_resources(b"\x1c\x02\x50\x00\x03Ada", packed)
    block, others = iptc.split_resources(resources)
    assert (block, others) == (b"\x1c\x02\x50\x00\x03Ada", ((0x040A, b"\1"),))


def test_pixels_per_metre_are_whole_numbers_per_inch():
    assert resolution(11811, 11811, "m").per("inch") == (300, 300)
    assert resolution(2835, 2835, "m").per("inch") == (72, 72)
    assert resolution(Fraction(11811, 100), Fraction(11811, 100), "cm").per("inch")[0] == 300
    assert resolution(0, 0, "inch") is None


def test_a_jpeg_without_jfif_takes_blocks_too():
    data = Jpeg().encode(Picture.from_pil(Image.new("RGB", (8, 8))))
    without = data[:2] + data[20:]
    assert Jpeg.container.read(Jpeg.container.write(without, BLOCKS)).exif == BLOCK
