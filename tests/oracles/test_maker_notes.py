"""Maker notes hold offsets that only the maker knows: exiftool decodes the same values from an output as from its source."""

from pathlib import Path

import pytest

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.exif_oracle import needs_exiftool, view, warnings
from support.maker_note_files import nikon, photograph, sony

pytestmark = needs_exiftool
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PHOTOGRAPHS = {
    "Canon": "photos/mex/Canon_PowerShot_G11.jpg",
    "Canon 20D": "photos/mex/Canon_EOS_20D_(1).jpg",
    "Apple": "photos/mex/Apple_iPhone_6_plus.jpg",
    "Panasonic": "good/gdk-pixbuf/bug143608-comment.jpg",
}
#: Made by hand, since the corpus has none of them.
PACKED = {
    "Nikon": (b"NIKON CORPORATION", nikon, ">"),
    "Sony": (b"SONY", sony, "<"),
    "Sony, other order": (b"SONY", sony, ">"),
}
OUTPUTS = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "avif": "avif", "heif": "heic", "jxl": "jxl"}


def maker_notes(path):
    """Return the values in the maker notes of a file, without offsets, which are counted from the start of the file."""
    tags = view(path, arguments=["-G0", "-MakerNotes:all"])[path.name]
    return {tag: value for tag, value in tags.items() if tag != "SourceFile" and not tag.endswith(("Start", "Offset"))}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("maker", [*PHOTOGRAPHS, *PACKED])
def test_they_decode_to_the_same_values_before_and_after(tmp_path, maker, output):
    source = tmp_path / "source.jpg"
    if maker in PACKED:
        source.write_bytes(photograph(*PACKED[maker]))
    elif (CORPUS / PHOTOGRAPHS[maker]).is_file():
        source.write_bytes((CORPUS / PHOTOGRAPHS[maker]).read_bytes())
    else:
        pytest.skip(f"the corpus has no {PHOTOGRAPHS[maker]} here")
    recipe = Recipe.from_builtins({"metadata": "keep", "steps": ["resize:width=64"], "renditions": [{"encode": output}]})
    path = tmp_path / f"out.{OUTPUTS[output]}"
    path.write_bytes(process(Input(source.read_bytes()), recipe).outputs[0].data)
    before, after = maker_notes(source), maker_notes(path)
    assert len(before) > 1
    assert after == before
    assert {text for text in warnings(path)[path.name] if "aker" in text} <= warnings(source)[source.name]
