"""Outputs are upright for every recorded orientation, which is applied once; tests/oracles has every container."""

import io

import numpy as np
import pytest
from PIL import Image


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
