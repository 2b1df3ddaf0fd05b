"""Eight containers, nine outputs, four policies: exiftool finds in an output what the source said and the policy keeps."""

import io

import pillow_heif
import pytest
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import exif_oracle
from support.exif_oracle import metadata, needs_exiftool, view, warnings, write

pytestmark = needs_exiftool
SOURCES = ["jpg", "png", "webp", "tif", "avif", "heic", "jxl", "gif"]
OUTPUTS = ["jpeg", "png", "webp", "tiff", "avif", "heif", "jxl", "gif", "bmp"]
EXTENSIONS = {"jpeg": "jpg", "tiff": "tif", "heif": "heic"}
#: How each output holds credits of each block.
WITH_IPTC, WITH_EXIF = ("jpeg", "png", "tiff"), ("jpeg", "png", "webp", "tiff", "avif", "heif", "jxl")
PLACES = ("GPS", "City", "Country", "Location", "Latitude")
PRIVATE = ("Make", "SerialNumber", "Tel", "Email", "Adr", "DateTimeOriginal", "ImageDescription", "Software")
EXIF = [
    "-IFD0:Artist=José 写真家",
    "-IFD0:Copyright=© 2024 Ünï Ágency",
    "-IFD0:Make=Maker",
    "-IFD0:Software=Program",
    "-IFD0:ImageDescription=described",
    "-IFD0:XResolution=300",
    "-IFD0:YResolution=300",
    "-IFD0:ResolutionUnit=2",
    "-ExifIFD:DateTimeOriginal=2020:01:02 03:04:05",
    "-ExifIFD:SerialNumber=SN-12345",
    "-ExifIFD:ColorSpace=65535",
    "-ExifIFD:ExifImageWidth=999",
    "-ExifIFD:FocalPlaneXResolution=1000",
    "-GPS:GPSLatitude=55",
    "-GPS:GPSLatitudeRef=N",
]
XMP = [
    "-XMP-dc:Creator=José 写真家",
    "-XMP-dc:Rights=© 2024",
    "-XMP-dc:Title=a title",
    "-XMP-xmpRights:WebStatement=https://example.org/terms",
    "-XMP-photoshop:City=Paris",
    "-XMP-photoshop:Credit=Agency",
    "-XMP-iptcCore:CreatorWorkTelephone=+1 555",
    "-XMP-iptcCore:CreatorWorkURL=https://example.org",
    "-XMP-exif:GPSLatitude=55",
    "-XMP-tiff:Orientation=1",
    "-XMP-exif:ExifImageWidth=999",
]
IPTC = [
    "-charset",
    "iptc=utf8",
    "-IPTC:CodedCharacterSet=\x1b%G",
    "-IPTC:By-line=José 写真家",
    "-IPTC:CopyrightNotice=© 2024",
    "-IPTC:City=Paris",
]
IPTC += ["-IPTC:Headline=news"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    pillow_heif.register_heif_opener()
    import pillow_jxl  # noqa: F401, PLC0415  # registers itself

    made = {}
    for extension in SOURCES:
        path = folder / f"source.{extension}"
        Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(
            path, **({"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"} if extension == "jxl" else {})
        )
        blocks = XMP if extension == "gif" else [*EXIF, *XMP, *(IPTC if extension in ("jpg", "tif", "png") else [])]
        texts = ["-PNG:Author=Ada", "-PNG:Title=careful"] if extension == "png" else []
        made[extension] = write(path, *blocks, *texts)
    return made


def outputs(source, policy, folder):
    """Return the paths of all outputs of ``source``, by format, and the notes on them."""
    made = {}
    for output in OUTPUTS:
        recipe = Recipe.from_builtins({"metadata": policy, "steps": [], "renditions": [{"encode": output}]})
        result = process(Input(source.read_bytes()), recipe)
        path = folder / f"{output}.{EXTENSIONS.get(output, output)}"
        path.write_bytes(result.outputs[0].data)
        made[output] = (path, result.notes)
    return made


def said(tags):
    """Return ``tags`` without those that are corrected, and those that only say how pixels are stored."""
    about_pixels = (
        "ColorSpace",
        "ImageWidth",
        "ImageHeight",
        "ImageLength",
        "BitsPerSample",
        "Compression",
        "Photometric",
        "Strip",
        "Samples",
    )
    about_pixels += (
        "RowsPer",
        "Planar",
        "Predictor",
        "SampleFormat",
        "Orientation",
        "YCbCr",
        "ComponentsConfiguration",
        "ExifImage",
        "XResolution",
        "YResolution",
        "ResolutionUnit",
        "SubfileType",
        "ExtraSamples",
        "Tile",
    )
    return {tag: value for tag, value in metadata(tags).items() if not tag.partition(":")[2].startswith(about_pixels)}


@pytest.mark.parametrize("policy", ["strip", "copyright", "keep", "no-gps"])
@pytest.mark.parametrize("extension", SOURCES)
def test_outputs_state_what_the_source_did_and_the_policy_keeps(sources, tmp_path, extension, policy):
    source = sources[extension]
    made = outputs(source, policy, tmp_path)
    views = view(source, *(path for path, _ in made.values()))
    stated = said(views[source.name])
    complaints = warnings(source, *(path for path, _ in made.values()))
    for output, (path, notes) in made.items():
        found = said(views[path.name])
        names = {tag.partition(":")[2] for tag in found}
        context = (extension, output, policy, found)
        values = {str(value) for value in stated.values()} | {"Ada", "careful"}
        moved = {tag for tag, value in found.items() if tag not in stated and str(value).strip("[]'") not in str(values)}
        assert {tag for tag in moved if "x-default" not in str(found[tag])} <= {"XMP-x:XMPToolkit"}, (moved, context)
        if policy == "strip":
            assert not found, context
        if policy in ("strip", "copyright"):
            assert not [name for name in names if name.startswith(PRIVATE) or any(part in name for part in PRIVATE)], context
        if policy != "keep":
            assert not [name for name in names if any(place in name for place in PLACES)], context
        if policy != "strip" and output != "bmp":
            assert "José 写真家" in str(found), context
            assert "©" in str(found), context
        if policy == "keep" and output in WITH_EXIF and extension != "gif":
            assert found["GPS:GPSLatitude"] == 55, context
            assert {tag for tag in stated if tag.startswith(("IFD0", "ExifIFD", "GPS"))} <= set(found), context
        if policy == "keep" and output in WITH_IPTC and extension in ("jpg", "png", "tif"):
            assert {tag for tag in stated if tag.startswith("IPTC")} <= set(found), context
        assert ("metadata-dropped" in notes) == _loses(extension, output, policy), (notes, context)
        assert complaints[path.name] - complaints[source.name] <= {
            text for text in complaints[path.name] if "Compression" in text
        }, context
        assert {views[path.name].get("ExifIFD:ExifImageWidth", 64), views[path.name].get("ExifIFD:ColorSpace", 1)} == {64, 1}, (
            context
        )


def _loses(extension, output, policy):
    """Return whether the output has no place for something that the policy keeps."""
    if policy == "strip" or output == "bmp":
        return policy != "strip"
    loses_iptc = extension in ("jpg", "png", "tif") and output not in WITH_IPTC
    loses_exif = extension != "gif" and output not in WITH_EXIF
    return policy != "copyright" and (loses_iptc or loses_exif or (extension == "png" and output != "png"))


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_source_gives_the_resolution_only_as_it_is(sources, tmp_path, output):
    plain = io.BytesIO()
    Image.new("RGB", (64, 48)).save(plain, "JPEG")
    silent = tmp_path / "silent.jpg"
    silent.write_bytes(plain.getvalue())
    jfif = tmp_path / "jfif.jpg"
    Image.new("RGB", (64, 48)).save(jfif, dpi=(300, 300))
    expected = {(silent, "same"): None, (silent, "half"): None, (jfif, "same"): 300, (jfif, "half"): None, (jfif, "keep"): 300}
    expected |= {(sources[each], "same"): 300 for each in ("tif", "webp", "avif")}
    for (source, case), dpi in expected.items():
        steps = [] if case == "same" else ["resize:width=32"]
        recipe = {"steps": steps, "renditions": [{"encode": output}], "metadata": "keep" if case == "keep" else "copyright"}
        path = tmp_path / f"{source.stem}-{case}.{EXTENSIONS.get(output, output)}"
        path.write_bytes(process(Input(source.read_bytes()), Recipe.from_builtins(recipe)).outputs[0].data)
        found = {tag: value for tag, value in view(path)[path.name].items() if "Resolution" in tag or "PixelsPerUnit" in tag}
        assert _dpi(found) == dpi, (source.name, case, output, found)


def _dpi(tags):
    """Return pixels per inch as whole numbers; ``None`` if nothing is stated in a unit."""
    if tags.get("PNG-pHYs:PixelsPerUnitX"):
        return round(tags["PNG-pHYs:PixelsPerUnitX"] * 0.0254)
    group = next((group for group in ("IFD0", "JFIF") if f"{group}:ResolutionUnit" in tags), None)
    unit = tags.get(f"{group}:ResolutionUnit")
    is_stated = unit == 2 if group == "IFD0" else unit == 1
    return round(tags[f"{group}:XResolution"]) if is_stated else None


def test_the_oracle_sees_what_it_is_to_see(sources):
    tags = exif_oracle.view(sources["jpg"])["source.jpg"]
    assert tags["IFD0:Artist"] == "José 写真家"
    assert tags["IPTC:By-line"] == "José 写真家"
