"""Thumbnails never travel, places and whatever else a policy forbids do not either, and a source is not copied with them."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixmill.core.errors import LimitError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.exif_oracle import needs_exiftool, view

pytestmark = needs_exiftool
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
OUTPUTS = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "avif": "avif", "heif": "heic", "jxl": "jxl"}
RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
PLACES = RDF.format(
    """xmlns:e='http://ns.adobe.com/exif/1.0/' e:GPSLatitude='1,2N' xmlns:d="http://www.dji.com/drone-dji/1.0/" d:GpsLatitude="+1"
    d:AbsoluteAltitude="+90" xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:Headline="news" p:City="Paris"
    xmlns:l="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" """,
    '<l:LocationShown><rdf:Bag><rdf:li l:City="Paris" l:CountryName="France"/></rdf:Bag></l:LocationShown>'
    "<e:GPSLongitude>3,4E</e:GPSLongitude>",
)
SECRETS = (b"secret", b"1,2N", b"3,4E", b"Paris", b"France", b"+90")


def made(data, output="jpeg", **recipe):
    recipe = {"steps": [], "renditions": [{"encode": output}], **recipe}
    return process(Input(data), Recipe.from_builtins(recipe))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("policy", ["copyright", "keep", "no-gps"])
@pytest.mark.parametrize("engine", ["auto", "vips"])
def test_no_output_carries_the_thumbnail_of_its_source(tmp_path, output, policy, engine):
    source = CORPUS / "photos/mex/Canon_PowerShot_G11.jpg"
    if not source.is_file():
        pytest.skip("the corpus has no Canon_PowerShot_G11.jpg here")
    data = source.read_bytes()
    thumbnail = data[data.index(b"\xff\xd8\xff", 100) :][:400]
    steps = ["resize:width=200", "crop:width=50,height=50"]
    path = tmp_path / f"out.{OUTPUTS[output]}"
    path.write_bytes(made(data, output, metadata=policy, engine=engine, steps=steps).outputs[0].data)
    assert thumbnail not in path.read_bytes()
    tags = view(path, arguments=["-a"])[path.name]
    assert not [tag for tag in tags if tag.endswith("ThumbnailImage") or tag.startswith("IFD1")]


@pytest.mark.parametrize("output", OUTPUTS)
def test_places_go_in_whatever_namespace_they_are(tmp_path, output):
    file, path = io.BytesIO(), tmp_path / f"out.{OUTPUTS[output]}"
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", xmp=PLACES.encode())
    path.write_bytes(made(file.getvalue(), output, metadata="no-gps").outputs[0].data)
    assert view(path)[path.name]["XMP-photoshop:Headline"] == "news"
    assert not any(secret in path.read_bytes() for secret in SECRETS)


def test_xmp_that_is_not_safe_to_read_goes_with_a_note():
    entity = f'<!DOCTYPE x [<!ENTITY a "secret">]>{PLACES}'
    deep = "<a>" * 5000 + "</a>" * 5000
    for packet in (entity, PLACES[:-20], deep, PLACES.replace("xmlns:d=", "xmlns:f=")):
        file = io.BytesIO()
        Image.new("RGB", (64, 48), "red").save(file, "JPEG", xmp=packet.encode()[:65_000])
        result = made(file.getvalue(), metadata="keep")
        assert result.notes == ("metadata-dropped",)
        assert b"adobe:ns:meta" not in result.outputs[0].data


def packed_exif():
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 43.0, 52.0)})
    block = exif.tobytes()
    return f"\nexif\n{len(block):8}\n{block.hex()}\n"


def picture(**settings):
    file = io.BytesIO()
    noise = Image.effect_noise((160, 120), 60).convert("RGB")
    noise.save(file, **settings)
    return file.getvalue()


def private_png():
    texts = PngInfo()
    texts.add_text("Description", "secret")
    texts.add_text("Raw profile type exif", packed_exif(), zip=True)
    texts.add_text("Author", "Ada")
    return picture(format="PNG", pnginfo=texts, optimize=True) + b"secret behind the end"


def private_jpeg():
    plain = picture(format="JPEG", quality=30, optimize=True, progressive=True)
    texts = ((b"\xfe", b"secret"), (b"\xe5", b"secret app"))
    segments = b"".join(b"\xff" + code + (len(text) + 2).to_bytes(2) + text for code, text in texts)
    return plain[:20] + segments + plain[20:] + b"secret behind the end"


def private_webp():
    return picture(format="WEBP", quality=10, method=6, xmp=PLACES.encode())


@pytest.mark.parametrize("policy", ["strip", "copyright", "no-gps"])
@pytest.mark.parametrize(("output", "source"), [("png", private_png), ("jpeg", private_jpeg), ("webp", private_webp)])
def test_a_source_is_not_copied_with_what_the_policy_forbids(tmp_path, output, source, policy):
    data = source()
    options = {"compression": 0} if output == "png" else {"quality": 95}
    result = made(data, {"format": output, **options}, metadata=policy, never_bigger=True)
    path = tmp_path / f"out.{OUTPUTS[output]}"
    path.write_bytes(result.outputs[0].data)
    found = view(path)[path.name]
    assert "copied" in result.notes
    assert len(path.read_bytes()) <= len(data)
    assert not [tag for tag in found if "GPS" in tag]
    forbidden = SECRETS[1:] if policy == "no-gps" and output != "webp" else SECRETS
    assert not any(secret in path.read_bytes() for secret in (*forbidden, b"secret behind", b"secret app"))
    assert Image.open(path).convert("RGB").tobytes() == Image.open(io.BytesIO(data)).convert("RGB").tobytes()
    assert ("PNG:Author" in found) == (output == "png" and policy != "strip")


def test_a_text_that_unfolds_to_more_than_may_be_is_refused_before_it_does():
    bomb = zlib.compress(bytes(100_000_000), 9)
    for _ in range(1):
        chunk = b"zTXt" + b"Copyright\0\0" + bomb
        plain = picture(format="PNG")
        data = plain[:33] + (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + plain[33:]
        with pytest.raises(LimitError) as refused:
            made(data, "png")
        assert refused.value.code == "limit-metadata"
