"""Credits keep their bytes, from wherever they are, and nothing is said where the source said nothing."""

import io
import struct
import subprocess

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.exif_oracle import needs_exiftool, view, write

pytestmark = needs_exiftool
OUTPUTS = {"jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "avif": "avif"}
VALUES = {
    "padded": b"(c) Jane Doe".ljust(64, b"\0"),
    "two parts": b"Jane Doe\0Big Agency\0",
    "japanese": "© 写真家".encode() + b"\0",
    "cyrillic": "© Анна".encode() + b"\0",
    "latin-1": "© Zoë Müller".encode("latin-1") + b"\0",
}


def jpeg(copyright_text, *, order="<"):
    """Return a JPEG whose EXIF has these bytes as its copyright, packed by hand."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    entry = struct.pack(order + "HHHII", 1, 0x8298, 2, len(copyright_text), 26)
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", exif=b"Exif\0\0" + head + entry + bytes(4) + copyright_text)
    return file.getvalue()


def made(data, output="jpeg", policy="copyright", steps=("resize:width=32",)):
    recipe = Recipe.from_builtins({"metadata": policy, "steps": list(steps), "renditions": [{"encode": output}]})
    return process(Input(data), recipe)


def raw_copyright(path):
    """Return the bytes of the tag as exiftool finds them in the file."""
    command = ["exiftool", "-b", "-charset", "exif=latin", "-IFD0:Copyright", str(path)]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("value", VALUES)
def test_a_copyright_is_the_bytes_of_the_source(tmp_path, value, output, order):
    data = jpeg(VALUES[value], order=order)
    source, path = tmp_path / "source.jpg", tmp_path / f"out.{OUTPUTS[output]}"
    source.write_bytes(data)
    path.write_bytes(made(data, output).outputs[0].data)
    assert VALUES[value] in path.read_bytes()
    assert raw_copyright(path) == raw_copyright(source)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("value", [bytes(64), b" " * 63 + b"\0"], ids=["NULs", "spaces"])
def test_nothing_is_said_where_the_source_said_nothing(tmp_path, value, output):
    path = tmp_path / f"out.{OUTPUTS[output]}"
    path.write_bytes(made(jpeg(value), output).outputs[0].data)
    assert not [tag for tag in view(path)[path.name] if "Copyright" in tag]


@pytest.mark.parametrize("output", OUTPUTS)
def test_texts_of_a_png_become_xmp_where_there_are_no_texts(tmp_path, output):
    texts, file = PngInfo(), io.BytesIO()
    texts.add_text("Author", "Zoë Müller")
    texts.add_itxt("Copyright", "© 写真家 & <sons>")
    texts.add_text("Comment", "private")
    Image.new("RGB", (64, 48), "red").save(file, "PNG", pnginfo=texts)
    path = tmp_path / f"out.{OUTPUTS[output]}"
    path.write_bytes(made(file.getvalue(), output).outputs[0].data)
    found = view(path)[path.name]
    if output == "png":
        assert (found["PNG:Author"], found["PNG:Copyright"]) == ("Zoë Müller", "© 写真家 & <sons>")
    else:
        assert (found["XMP-dc:Creator"], found["XMP-dc:Rights"]) == (["Zoë Müller"], "© 写真家 & <sons>")
    assert "private" not in str(found)


def test_a_tiff_gives_what_a_jpeg_does(tmp_path):
    tags = ["-IFD0:Artist=Ada", "-IFD0:Copyright=(c) Ada", "-IFD0:Make=Maker", "-IFD0:ImageDescription=described"]
    tags += ["-ExifIFD:ISO=400", "-IPTC:By-line=Ada", "-XMP-dc:Rights=(c) Ada", "-XMP-dc:Title=title"]
    found = {}
    for extension in ("jpg", "tif"):
        path = tmp_path / f"source.{extension}"
        Image.new("RGB", (64, 48), "red").save(path)
        data = write(path, *tags).read_bytes()
        for output in ("jpeg", "tiff"):
            for policy in ("copyright", "keep"):
                out = tmp_path / f"{extension}-{policy}.{OUTPUTS[output]}"
                out.write_bytes(made(data, output, policy).outputs[0].data)
                groups = ("IFD0:A", "IFD0:C", "IFD0:Ma", "IFD0:ImageD", "ExifIFD:ISO", "IPTC", "XMP-dc")
                tags_of = {tag: value for tag, value in view(out)[out.name].items() if tag.startswith(groups)}
                found[extension, output, policy] = {tag: value for tag, value in tags_of.items() if "Compression" not in tag}
    for output in ("jpeg", "tiff"):
        assert found["tif", output, "copyright"] == found["jpg", output, "copyright"]
        assert found["tif", output, "keep"] == found["jpg", output, "keep"]
        assert found["tif", output, "copyright"]["IFD0:Artist"] == "Ada"
        assert found["tif", output, "keep"]["ExifIFD:ISO"] == 400
    assert not {"IFD0:Make", "XMP-dc:Title"} & set(found["tif", "jpeg", "copyright"])
