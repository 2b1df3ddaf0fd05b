"""Outputs are upright for every recorded orientation, which is applied once."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

LIE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def decoded(result):
    return Image.open(io.BytesIO(result.outputs[0].data))


def distance(first, second):
    return float(np.abs(np.asarray(first.convert("RGB"), float) - np.asarray(second.convert("RGB"), float)).mean())


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
@pytest.mark.parametrize("orientation", range(9))
def test_each_orientation_of_a_jpeg_gives_the_same_upright_picture(corpus, make, shape, orientation):
    wanted = decoded(
        make(corpus(f"good/exif-orientation/{shape}_1.jpg"), steps=[{"operation": "resize", "width": 450, "height": 450}])
    )
    data = corpus(f"good/exif-orientation/{shape}_{orientation}.jpg")
    got = decoded(make(data, steps=[{"operation": "resize", "width": 450, "height": 450}]))
    assert got.size == wanted.size
    assert distance(got, wanted) < 3
    assert got.getexif().get(0x112, 1) == 1


@pytest.mark.parametrize("container", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", LIE)
def test_each_orientation_is_applied_once_in_every_container(make, container, orientation):
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste("red", (0, 0, 20, 20))
    upright.paste("blue", (40, 20, 60, 40))
    lying = upright if LIE[orientation] is None else upright.transpose(LIE[orientation])
    exif = Image.Exif()
    exif[0x112] = orientation
    file = io.BytesIO()
    lying.save(file, container, exif=exif, **({"lossless": True} if container == "WEBP" else {}))
    got = decoded(make(file.getvalue()))
    assert got.size == upright.size
    assert distance(got, upright) == 0


@pytest.mark.parametrize("orientation", [1, 2, 4, 5, 6, 7, 8])
def test_an_orientation_in_a_png_turns_it(measure, corpus, make, orientation):
    data = corpus(f"good/imgproxy/orientation-{orientation}.png")
    got, wanted = measure.pixels(make(data).outputs[0].data), measure.reference(data)
    assert got.shape == wanted.shape
    assert measure.difference(got, wanted)[0] < 1


def test_an_orientation_in_xmp_alone_counts(make):
    file = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    Image.new("RGB", (60, 40), "red").save(file, "JPEG", xmp=xmp)
    assert decoded(make(file.getvalue())).size == (40, 60)


def test_the_turn_of_an_avif_container_is_applied_once(corpus, make):
    result = make(corpus("good/libvips/avif-orientation-6.avif"), steps=[{"operation": "resize", "width": 300}])
    assert (result.outputs[0].width, result.outputs[0].height) == (300, 400)


def test_an_orientation_that_is_garbage_is_none(corpus, make):
    result = make(corpus("bad/fuzzdb/malicious-images/POC_phpinfo-metadata.jpg"))
    assert (result.outputs[0].width, result.outputs[0].height) == (result.header.width, result.header.height)


@pytest.mark.parametrize("restored", [True, False], ids=["a restored JPEG", "pixels"])
@pytest.mark.parametrize("orientation", LIE)
def test_each_orientation_of_a_jpeg_xl_is_applied_once(tmp_path, make, orientation, restored):
    pytest.importorskip("pillow_jxl")
    upright = Image.new("RGB", (96, 64), "white")
    upright.paste("red", (0, 0, 32, 32))
    upright.paste("blue", (64, 32, 96, 64))
    exif = Image.Exif()
    exif[0x112] = orientation
    lying = upright if LIE[orientation] is None else upright.transpose(LIE[orientation])
    lying.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    if restored:
        Image.open(tmp_path / "a.jpg").save(tmp_path / "a.jxl", lossless_jpeg=True)
    elif not shutil.which("cjxl"):
        pytest.skip("cjxl is not installed")
    else:
        subprocess.run(["cjxl", "-j", "0", tmp_path / "a.jpg", tmp_path / "a.jxl"], check=True, capture_output=True)
    got = decoded(make((tmp_path / "a.jxl").read_bytes()))
    assert got.size == upright.size
    assert distance(got, upright) < 3
