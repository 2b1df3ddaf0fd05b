"""Each of the eight orientations, in every way that a container can state it, gives the same upright picture in every output."""

import io
import shutil
import subprocess

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from support.colour_files import chunk
from support.exif_oracle import needs_exiftool, view, write
from support.seen_outputs import OUTPUTS, all_seen, made

pytestmark = [
    needs_exiftool,
    pytest.mark.skipif(not all(map(shutil.which, ("cjxl", "djxl", "avifenc"))), reason="cjxl, djxl and avifenc are not installed"),
]
#: How the picture lies in the file, by orientation.
LYING = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
#: The same as properties of HEIF: the turn in quarters, against the clock, and then the mirror.
PROPERTIES = {
    1: [],
    2: ["--imir", "1"],
    3: ["--irot", "2"],
    4: ["--imir", "0"],
    5: ["--irot", "1", "--imir", "0"],
    6: ["--irot", "3"],
    7: ["--irot", "3", "--imir", "0"],
    8: ["--irot", "1"],
}
XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
    b" rdf:about='' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='%d'/></rdf:RDF></x:xmpmeta>"
)


def upright():
    picture = Image.new("RGB", (96, 64), "white")
    picture.paste("red", (0, 0, 32, 32))
    picture.paste("green", (64, 0, 96, 32))
    picture.paste("blue", (64, 32, 96, 64))
    return picture


def lying(orientation):
    return upright() if LYING[orientation] is None else upright().transpose(LYING[orientation])


def exif(orientation):
    block = Image.Exif()
    block[0x112] = orientation
    return block


def saved(picture, kind, **settings):
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def jpeg(orientation, _):
    return saved(lying(orientation), "JPEG", exif=exif(orientation), quality=95, subsampling=0)


def jpeg_xmp(orientation, _):
    return saved(lying(orientation), "JPEG", xmp=XMP % orientation, quality=95, subsampling=0)


def png(orientation, _):
    return saved(lying(orientation), "PNG", exif=exif(orientation))


def png_behind(orientation, _):
    data = saved(lying(orientation), "PNG")
    return data[:-12] + chunk("eXIf", exif(orientation).tobytes().removeprefix(b"Exif\0\0")) + data[-12:]


def webp(orientation, _):
    return saved(lying(orientation), "WEBP", exif=exif(orientation), lossless=True)


def tiff(orientation, _):
    return saved(lying(orientation), "TIFF", exif=exif(orientation))


def avif(orientation, folder):
    lying(orientation).save(folder / "in.png")
    command = ["avifenc", "-y", "444", "--min", "0", "--max", "8", *PROPERTIES[orientation], folder / "in.png", folder / "out.avif"]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "out.avif").read_bytes()


def avif_of_pillow(orientation, _):
    return saved(lying(orientation), "AVIF", exif=exif(orientation), quality=95, subsampling="4:4:4")


def heic(orientation, _):
    pillow_heif.register_heif_opener()
    return saved(lying(orientation), "HEIF", exif=exif(orientation).tobytes(), quality=95, chroma=444)


def jxl(*options):
    def store(orientation, folder):
        (folder / "in.jpg").write_bytes(jpeg(orientation, folder))
        subprocess.run(["cjxl", *options, folder / "in.jpg", folder / "out.jxl"], check=True, capture_output=True)
        return (folder / "out.jxl").read_bytes()

    return store


def jxl_of_pillow(orientation, folder):
    import pillow_jxl  # noqa: F401, PLC0415  # registers itself

    (folder / "in.jpg").write_bytes(jpeg(orientation, folder))  # it takes the bytes from the file
    with Image.open(folder / "in.jpg") as picture:
        return saved(picture, "JXL", lossless_jpeg=True)


WAYS = {
    "jpg": jpeg,
    "jpg by XMP alone": jpeg_xmp,
    "png": png,
    "png behind the pixels": png_behind,
    "webp": webp,
    "tif": tiff,
    "avif by properties": avif,
    "avif of Pillow": avif_of_pillow,
    "heic": heic,
    "jxl, pixels": jxl("-j", "0"),
    "jxl, transcoded": jxl("-j", "1"),
    "jxl of Pillow, transcoded": jxl_of_pillow,
}


def same(got, wanted):
    return got.shape == wanted.shape and np.abs(got.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("way", WAYS)
def test_every_output_is_upright_and_says_so(tmp_path, way, orientation):
    data = WAYS[way](orientation, tmp_path)
    result = made(data, steps=[], metadata="keep")
    for name, picture in all_seen(result, tmp_path).items():
        assert same(picture, np.asarray(upright())), name
    paths = [tmp_path / f"{name}.bin" for name in OUTPUTS]
    for path, output in zip(paths, result.outputs, strict=True):
        path.write_bytes(output.data)
    for tags in view(*paths).values():
        stated = {tag: value for tag, value in tags.items() if tag.endswith((":Orientation", ":Rotation", ":MirrorFlag"))}
        assert not {value for tag, value in stated.items() if value != (1 if "Orientation" in tag else 0)}, (tags, stated)


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("way", WAYS)
def test_steps_work_on_the_upright_picture(tmp_path, way, orientation, engine):
    data = WAYS[way](orientation, tmp_path)
    for steps, wanted in (
        (["resize:width=48"], upright().reduce(2)),
        (["resize:width=16,height=32,fit=cover,gravity=east"], upright().reduce(2).crop((32, 0, 48, 32))),
        (["crop:left=0,top=0,width=64,height=40"], upright().crop((0, 0, 64, 40))),
    ):
        output = made(data, ["png"], steps=steps, engine=engine).outputs[0]
        assert same(np.asarray(Image.open(io.BytesIO(output.data)).convert("RGB")), np.asarray(wanted)), steps


@pytest.mark.parametrize("extension", ["avif", "heic", "jxl"])
def test_exif_turns_nothing_where_the_container_has_the_word(tmp_path, extension):
    pillow_heif.register_heif_opener()
    import pillow_jxl  # noqa: F401, PLC0415  # registers itself

    path = tmp_path / f"source.{extension}"
    upright().save(path)
    data = write(path, "-IFD0:Orientation=6", "-IFD0:Artist=Ada").read_bytes()
    assert view(path)[path.name]["IFD0:Orientation"] == 6
    result = made(data, steps=[], metadata="keep")
    assert {name: picture.shape for name, picture in all_seen(result, tmp_path).items()} == dict.fromkeys(OUTPUTS, (64, 96, 3))
