import ast
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixmill
from pixmill.cli.docs.markdown import reference_files
from pixmill.cli.docs.reference import pages
from pixmill.imaging.codec import Codec
from pixmill.imaging.formats import formats
from pixmill.imaging.operation import Operation
from support.colour_files import png
from support.tiff_files import RGB, tiff

ROOT = Path(__file__).parents[2]
SOURCE = Path(pixmill.__file__).parent


@pytest.mark.parametrize("name", reference_files())
def test_the_reference_in_the_docs_is_what_the_declarations_say(name):
    assert (ROOT / "docs" / "reference" / name).read_text("utf-8") == reference_files()[name], (
        "write it again: pixmill explain --write docs/reference"
    )


def test_every_page_says_something_of_each_thing():
    for page in pages():
        assert page.summary, page
        assert all(parameter.description for parameter in page.parameters), page


def test_every_code_that_is_raised_can_be_explained():
    explained = {page.name for page in pages() if page.kind == "error"}
    raised = {
        keyword.value.value
        for path in SOURCE.rglob("*.py")
        if "testing" not in path.parts
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert raised
    assert raised - explained == set()


def test_every_code_in_an_output_can_be_explained(pixmill, photos):
    """The codes are those of real runs: notes on finished images, and why others were skipped or ignored."""
    frames = [Image.new("RGB", (64, 48), color) for color in ("red", "green")]
    pixels = np.asarray(frames[0])
    frames[0].save(photos / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(photos / "b.tif", save_all=True, append_images=frames[1:])
    frames[0].save(photos / "c.jpg", icc_profile=b"no profile" * 20)
    Image.effect_noise((64, 48), 50).save(photos / "d.jpg", quality=5, optimize=True)
    (photos / "e.png").write_bytes(png(pixels, cICP=bytes([9, 16, 0, 1])))
    (photos / "f.png").write_bytes(png(pixels, gAMA=bytes(4)))
    (photos / "g.tif").write_bytes(tiff(pixels, RGB, tags={254: ("I", [1])}))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    frames[0].save(photos / "h.jpg", exif=exif)
    (photos / ".hidden.jpg").write_bytes(b"")
    (photos / "notes.txt").write_bytes(b"")
    (photos / "link.jpg").symlink_to(photos / "d.jpg")
    (photos.parent / "out").mkdir()
    (photos.parent / "out" / "p0.jpg").write_bytes(b"of another program")
    words = ("run", "photos", "out", "--json", "--existing", "skip", "--never-bigger", "--color", "keep", "--exclude", "p1.jpg")
    met = set()
    for more in ((), ("--color", "srgb"), ("--format", "gif")):
        report = json.loads(pixmill(*words, *more).stdout.splitlines()[-1])
        met |= {*report["notes"], *report["left_alone"], *report["ignored"], report["reason"]}
    assert {"frames-dropped", "pages-dropped", "profile-ignored", "copied", "exists", "hidden", "symlink", "excluded"} <= met
    assert {"colour-ignored", "adobe-rgb-by-exif", "hdr-tone-mapped", "converted-to-srgb", "preview-used"} <= met
    assert met - {page.name for page in pages()} == set()
    assert {f"{each.pages}-dropped" for each in formats()} <= {page.name for page in pages() if page.kind == "note"}


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("resize", "Example: --step resize:"),
        ("webp", "up to 16,383 pixels per side"),
        ("on-collision", "PIXMILL_ON_COLLISION"),
        ("PIXMILL_MAX_RATE", "--max-rate (option)"),
        ("timeout", "TaskTimeout"),
        ("not-an-image", "subcode of  decode"),
        ("keep", "all frames of an animation"),
        ("frames-dropped", "only the first frame of an animation"),
        ("last-run-partial", "why an output is kept by prune"),
    ],
)
def test_a_thing_is_explained_by_whatever_name_it_is_met_under(pixmill, topic, shown):
    result = pixmill("explain", topic)
    assert result.returncode == 0
    assert shown in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_of_a_format_that_is_that_of_the_source_nothing_untrue_is_said(pixmill):
    said = pixmill("explain", "keep").stdout
    assert "pixels" not in said
    assert "one frame" not in said
    assert "extensions" not in said


def test_without_a_name_everything_is_listed(pixmill):
    result = pixmill("explain")
    for name in (*Operation.registry.names(), *Codec.registry.names(), "--size", "timeout", "disk-full"):
        assert f"\n  {name}" in result.stdout


def test_a_page_as_json_has_its_parameters(pixmill):
    (page,) = (json.loads(line) for line in pixmill("explain", "resize", "--json").stdout.splitlines())
    assert page["kind"] == "operation"
    assert {"name": "width", "accepts": "an integer of at least 1"}.items() <= page["parameters"][
        [parameter["name"] for parameter in page["parameters"]].index("width")
    ].items()


def test_the_schema_of_a_recipe_has_every_operation_and_format():
    schema = json.loads(reference_files()["recipe.schema.json"])
    steps = schema["$defs"]["Recipe"]["properties"]["steps"]["items"]["anyOf"]
    named = {
        schema["$defs"][step["$ref"].rpartition("/")[2]]["properties"]["operation"]["const"] for step in steps if "$ref" in step
    }
    assert named == set(Operation.registry.names())
    formats = {table["properties"]["format"]["const"] for table in schema["$defs"].values() if "format" in table["properties"]}
    assert formats == set(Codec.registry.names())


def test_metadata_are_explained_by_policy(pixmill):
    text = pixmill("explain", "metadata").stdout
    assert "metadata (option)" in text
    assert "dc:creator" in text
    assert "travels with copyright, no-gps, keep" in text
