"""``--hdr keep``: the gain map of a JPEG follows the picture. libultrahdr (in libvips) and exiftool read the files."""

import io
import json
import shutil
import subprocess

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixmill.imaging.gain_maps.reading import gain_map
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers.jpeg import APP2, ISO_GAIN_MAP
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.gain_map_files import SCALE, likeness, pattern, ultra_hdr
from support.icc_files import matrix_profile

ORIENTATION = 0x0112

if not pyvips.type_find("VipsOperation", "uhdrload_buffer"):
    pytest.skip("libvips was built without libultrahdr", allow_module_level=True)


def made(data, *steps, **recipe):
    (output,), notes = (
        (result := process(Input(data), Recipe.from_builtins({"steps": steps, "hdr": "keep", **recipe}))).outputs,
        result.notes,
    )
    return output, notes


def maps(data):
    """Return picture and map of a file, as libultrahdr reads it."""
    image = pyvips.Image.uhdrload_buffer(data)
    return Image.open(io.BytesIO(data)).convert("L"), Image.open(io.BytesIO(image.get("gainmap-data"))).convert("L")


STEPS = {
    "fit": ["resize:width=300,height=300"],
    "cover": ["resize:width=200,height=200,fit=cover,gravity=east"],
    "stretch": ["resize:width=200,height=300,fit=fill"],
    "crop": ["crop:left=101,top=53,width=333,height=222"],
    "crop of a scaled one": ["resize:width=500", "crop:aspect=1:1,gravity=west"],
    "turn": ["rotate:angle=90"],
    "turn back": ["resize:width=400", "rotate:angle=-90", "crop:width=200,height=200,gravity=south"],
    "mirror": ["flip", "flip:direction=vertical", "crop:left=200"],
    "look": ["sharpen", "brightness:factor=1.1", "resize:width=320", "flip"],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_map_goes_where_the_picture_goes(steps, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    output, notes = made(ultra_hdr(exif=exif), *steps)
    assert "gain-map-dropped" not in notes
    picture, small = maps(output.data)
    assert picture.size == (output.width, output.height)
    assert all(abs(side / SCALE - other) <= 1 for side, other in zip(picture.size, small.size, strict=True))
    assert likeness(picture, small) > 0.99


@pytest.mark.parametrize("steps", [["resize:width=300,height=300,fit=contain"], ["trim"], ["rotate:angle=10"], ["border:width=9"],
                                   ["resize:width=99,height=99,fit=cover,gravity=attention"], ["text:text=hello"]])  # fmt: skip
def test_a_map_that_cannot_follow_is_dropped_with_a_note(steps):
    output, notes = made(ultra_hdr(), *steps)
    assert "gain-map-dropped" in notes
    assert gain_map(output.data) is None
    assert b"hdrgm" not in output.data


def test_other_formats_have_no_map_and_each_output_says_so_for_itself():
    _, notes = made(ultra_hdr(), "resize:width=99", renditions=[{"encode": "webp"}])
    assert "gain-map-dropped" in notes
    result = process(Input(ultra_hdr()), Recipe.from_builtins({"steps": ["resize:width=99"]}))
    assert "gain-map-dropped" in result.notes
    assert gain_map(result.outputs[0].data) is None


def test_credits_and_the_statement_of_the_map_are_in_one_packet(tmp_path):
    output, _ = made(ultra_hdr(), "resize:width=320", set=["artist=Ann"])
    picture, small = maps(output.data)
    assert likeness(picture, small) > 0.99
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    (tmp_path / "a.jpg").write_bytes(output.data)
    told = subprocess.run(["exiftool", "-json", "-G1", "-a", tmp_path / "a.jpg"], capture_output=True, check=True).stdout
    (tags,) = json.loads(told)
    assert not any("Warning" in name for name in tags)
    assert tags["XMP-dc:Creator"] == "Ann"
    assert tags["MPF0:NumberOfImages"] == 2
    assert tags["XMP-hdrgm:Version"] == 1.0
    length = tags["MPImage2:MPImageLength"]
    assert int(tags["XMP-Container:DirectoryItemLength"]) == length
    assert output.data[-length:].startswith(b"\xff\xd8\xff")
    assert tags["MPImage1:MPImageLength"] + length == len(output.data)
    assert b"CreatorTool" not in output.data
    assert output.data.count(b"http://ns.adobe.com/xap/1.0/\0") == 2  # one for each picture


def test_a_file_by_libultrahdr_keeps_its_parameters_and_can_be_made_again():
    light = pyvips.Image.new_from_array(np.asarray(pattern(), np.float32)[..., None].repeat(3, axis=2) / 64)
    source = light.copy(interpretation="scrgb").uhdrsave_buffer()
    first, notes = made(source, "resize:width=320", color="keep")
    second, again = made(first.data, "flip", "crop:width=200,height=200", color="keep")
    assert "gain-map-dropped" not in (*notes, *again)
    boosts = [pyvips.Image.uhdrload_buffer(data).get("gainmap-max-content-boost") for data in (source, first.data, second.data)]
    assert boosts[0] == boosts[1] == boosts[2]
    assert gain_map(second.data).has_iso


def test_gains_in_the_colours_of_the_brighter_picture_stay_although_those_of_the_other_are_converted():
    gray = gain_map(ultra_hdr())
    assert gray.uses_base_colours
    head = ISO_GAIN_MAP + bytes(4)
    maps_by_flags = [gray._replace(parameters=((APP2, head + bytes([flags])),), has_xmp=False) for flags in (0x80, 0xC0)]
    assert [each.uses_base_colours for each in maps_by_flags] == [False, True]


def test_a_map_for_three_colours_is_dropped_if_these_colours_become_others():
    gray, coloured = (ultra_hdr(mode=mode, profile=matrix_profile()) for mode in ("L", "RGB"))
    assert likeness(*maps(made(gray, "flip", color="srgb")[0].data)) > 0.99
    assert likeness(*maps(made(coloured, "flip", color="keep")[0].data)) > 0.99
    assert "gain-map-dropped" in made(coloured, "flip", color="srgb")[1]
    assert "gain-map-dropped" not in made(ultra_hdr(mode="RGB"), "flip", color="srgb")[1]


def test_the_map_counts_for_the_largest_size():
    whole, _ = made(ultra_hdr(), "resize:width=600")
    limit = len(whole.data) * 2 // 3
    output, notes = made(ultra_hdr(), "resize:width=600", renditions=[{"encode": "jpeg", "max_size": limit}])
    assert len(output.data) <= limit
    assert "gain-map-dropped" not in notes
    assert likeness(*maps(output.data)) > 0.98


def test_a_map_that_is_larger_than_its_picture_is_not_decoded():
    _, notes = made(ultra_hdr(scale=0.9), "resize:width=300")
    assert "gain-map-dropped" in notes


def test_a_damaged_map_costs_only_the_map():
    data = ultra_hdr()
    (start,) = [offset for offset in range(len(data) - 3, 0, -1) if data[offset : offset + 3] == b"\xff\xd8\xff"][:1]
    torn = data[: start + 900] + bytes(len(data) - start - 900)
    output, notes = made(torn, "resize:width=300")
    assert output.width == 300
    assert "gain-map-dropped" in notes
