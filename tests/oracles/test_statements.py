"""What an output states is true of it: colours, sizes, gain maps, extended XMP; what cannot be carried is noted."""

import io
from pathlib import Path

import pytest
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.exif_oracle import needs_exiftool, view, warnings

pytestmark = needs_exiftool
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
RDF = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:p="http://ns.adobe.com/photoshop/1.0/" {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)
FALSE = RDF.format(
    """xmlns:t="http://ns.adobe.com/tiff/1.0/" t:Orientation="6" t:ImageWidth="999" xmlns:e="http://ns.adobe.com/exif/1.0/"
    e:PixelXDimension="999" e:ColorSpace="65535" xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" h:Version="1.0" h:GainMapMax="2"
    xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF" xmlns:c="http://ns.google.com/photos/1.0/camera/"
    c:MotionPhoto="1" p:ICCProfile="Adobe RGB (1998)" p:Headline="news" """,
    "",
)


def made(data, output, **recipe):
    return process(Input(data), Recipe.from_builtins({"metadata": "keep", "renditions": [{"encode": output}], **recipe}))


def test_false_statements_go_even_if_all_is_kept(tmp_path):
    exif, file, path = Image.Exif(), io.BytesIO(), tmp_path / "out.jpg"
    exif[0x0112], exif[0x013F], exif[0x0101] = 6, (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 999
    exif.get_ifd(0x8769).update({0xA001: 65535, 0xA002: 999, 0xA003: 999, 0xA500: 2.2, 0x9214: (10, 10), 0x9102: 3.0})
    exif.get_ifd(0xA005).update({1: "R03"})
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", exif=exif, xmp=FALSE.encode())
    path.write_bytes(made(file.getvalue(), "jpeg", steps=["resize:width=20"]).outputs[0].data)
    found = {tag: value for tag, value in view(path)[path.name].items() if tag.startswith(("IFD", "ExifIFD", "Interop", "XMP"))}
    right = {"IFD0:Orientation": 1, "ExifIFD:ColorSpace": 1, "ExifIFD:ExifImageWidth": 20, "ExifIFD:ExifImageHeight": 27}
    assert found == {**right, "XMP-photoshop:Headline": "news"}


@pytest.mark.parametrize("source", ["webp", "png"])
def test_long_xmp_is_extended_in_a_jpeg_and_joined_elsewhere(tmp_path, source):
    long = "x" * 100_000
    packet = RDF.format('p:Headline="news"', f"<p:Instructions>{long}</p:Instructions><p:Credit>Agency</p:Credit>")
    file = io.BytesIO()
    if source == "webp":
        Image.new("RGB", (64, 48), "red").save(file, "WEBP", xmp=packet.encode())
    else:
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415  # only here

        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet)
        Image.new("RGB", (64, 48), "red").save(file, "PNG", pnginfo=texts)
    path, again = tmp_path / "out.jpg", tmp_path / "again.webp"
    result = made(file.getvalue(), "jpeg")
    path.write_bytes(result.outputs[0].data)
    again.write_bytes(made(path.read_bytes(), "webp").outputs[0].data)
    for each in (path, again):
        found = view(each)[each.name]
        assert found["XMP-photoshop:Instructions"] == long
        assert (found["XMP-photoshop:Headline"], found["XMP-photoshop:Credit"]) == ("news", "Agency")
        assert not warnings(each)[each.name]
    assert "XMP-xmpNote:HasExtendedXMP" not in view(again)[again.name]
    assert result.notes == ()


def test_exif_that_is_too_long_for_a_jpeg_is_noted_and_the_rest_kept(tmp_path):
    exif, file, path = Image.Exif(), io.BytesIO(), tmp_path / "out.jpg"
    exif[0x8298], exif[0x010F] = "(c) Ada", "Maker"
    exif.get_ifd(0x8769).update({0x927C: b"note" * 30_000, 0x9003: "2020:01:02 03:04:05"})
    Image.new("RGB", (64, 48), "red").save(file, "WEBP", exif=exif)
    result = made(file.getvalue(), "jpeg")
    path.write_bytes(result.outputs[0].data)
    found = view(path)[path.name]
    assert result.notes == ("metadata-dropped",)
    assert (found["IFD0:Copyright"], found["IFD0:Make"]) == ("(c) Ada", "Maker")
    assert found["ExifIFD:DateTimeOriginal"] == "2020:01:02 03:04:05"
    assert made(file.getvalue(), "webp").notes == ()


@pytest.mark.parametrize(
    "name",
    [
        "seine_sdr_gainmap_srgb.jpg", "apple_gainmap_new.jpg", "apple_gainmap_old.jpg", "paris_exif_xmp_gainmap_littleendian.jpg",
        "seine_sdr_gainmap_srgb.avif",
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["strip", "keep"])
def test_a_gain_map_is_dropped_with_a_note_and_nothing_speaks_of_it(tmp_path, name, policy):
    source = CORPUS / "good/libavif" / name
    if not source.is_file():
        pytest.skip(f"the corpus has no {name} here")
    result, path = made(source.read_bytes(), "jpeg", metadata=policy), tmp_path / "out.jpg"
    path.write_bytes(result.outputs[0].data)
    assert "gain-map-dropped" in result.notes
    assert not [tag for tag in view(path)[path.name] if "GainMap" in tag or "hdrgm" in tag or "Container" in tag or "MPF" in tag]


def test_a_picture_without_a_gain_map_has_no_such_note():
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    assert "gain-map-dropped" not in made(file.getvalue(), "jpeg").notes
