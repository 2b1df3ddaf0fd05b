"""Transparency in every container, straight or premultiplied, shows the same picture on every background in every output."""

import io
import shutil
import subprocess

import numpy as np
import pillow_heif
import pytest
import pyvips
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.seen_outputs import OUTPUTS, made, seen
from support.tiff_files import ASSOCIATED, RGB, UNASSOCIATED, tiff

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("cjxl", "djxl", "avifenc"))), reason="cjxl, djxl and avifenc are not installed"
)
GROUNDS = {"#ffffff": (255, 255, 255), "#204080": (32, 64, 128)}
#: Outputs without alpha; what GIF can say of it is yes or no.
OPAQUE = {"jpeg": "jpeg:quality=95", "bmp": "bmp", "tiff": "tiff:compression=jpeg,quality=95"}
WITH_ALPHA = [name for name in OUTPUTS if name not in ("jpeg", "bmp", "gif")]


def scene():
    """Return RGBA: four colours, opaque at the left and wholly transparent at the right."""
    colours = np.array([(200, 50, 50), (60, 170, 90), (240, 240, 240), (20, 20, 30)], np.uint8).repeat(16, 0)
    alpha = np.linspace(300, -45, 96).clip(0, 255).round().astype(np.uint8)
    return np.dstack([np.broadcast_to(colours[:, None], (64, 96, 3)), np.broadcast_to(alpha, (64, 96))])


def on(ground, rgba):
    """Return straight RGBA laid over a colour."""
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + np.array(ground) * (1 - alpha)


def saved(array, kind, mode="RGBA", **settings):
    file = io.BytesIO()
    Image.fromarray(array).convert(mode).save(file, kind, **settings)
    return file.getvalue()


def avif(*options):
    def store(array, folder):
        Image.fromarray(array).save(folder / "in.png")
        lossless = ("--min", "0", "--max", "0", "--minalpha", "0", "--maxalpha", "0")
        subprocess.run(
            ["avifenc", "-y", "444", *lossless, *options, folder / "in.png", folder / "out.avif"], check=True, capture_output=True
        )
        return (folder / "out.avif").read_bytes()

    return store


def sequence_header(data):
    start = data.find(b"\x12\x00\x0a", data.find(b"mdat")) + 2
    return data[start : start + 2 + data[start + 1]]


def avif_of_limited_alpha(*options):
    """Return an AVIF whose plane of alpha states the limited range: the header of a gray picture takes the place of its own."""

    def store(array, folder):
        planes = [avif("-y", "400", "--cicp", "2/2/2", "-r", kind, *options)(array[..., 3], folder) for kind in ("full", "limited")]
        data = avif(*options)(array, folder)
        assert data.count(sequence_header(planes[0])) == 1
        return data.replace(*map(sequence_header, planes))

    return store


def jxl(*options):
    def store(array, folder):
        Image.fromarray(array).save(folder / "in.png")
        subprocess.run(["cjxl", "-d", "0", *options, folder / "in.png", folder / "out.jxl"], check=True, capture_output=True)
        return (folder / "out.jxl").read_bytes()

    return store


def heic(mode):
    def store(array, _):
        file = io.BytesIO()
        pixels = Image.fromarray(array).convert(mode)
        pillow_heif.encode(mode, pixels.size, pixels.tobytes(), file, quality=-1, chroma=444)
        return file.getvalue()

    return store


def deep(saver):
    def store(array, _):
        return pyvips.Image.new_from_array(array.astype(np.uint16) * 257).copy(interpretation="rgb16").write_to_buffer(saver)

    return store


def associated(array, _):
    premultiplied = (array[..., :3].astype(int) * array[..., 3:] + 127) // 255
    return tiff(np.dstack([premultiplied.astype(np.uint8), array[..., 3]]), RGB, extra=[ASSOCIATED])


SOURCES = {
    "png": lambda array, _: saved(array, "PNG"),
    "png, 16 bits": deep(".png"),
    "webp": lambda array, _: saved(array, "WEBP", lossless=True),
    "tif": lambda array, _: tiff(array, RGB, extra=[UNASSOCIATED]),
    "tif, premultiplied": associated,
    "avif": avif(),
    "avif, premultiplied": avif("-p"),
    "avif, 10 bits": avif("-d", "10"),
    "avif, 10 bits, premultiplied": avif("-p", "-d", "10"),
    "avif, limited": avif("-r", "limited"),
    "heic": heic("RGBA"),
    "heic, premultiplied": heic("RGBa"),
    "jxl": jxl(),
    "jxl, premultiplied": jxl("--premultiply=1"),
}
LIMITED = {"avif, limited alpha": avif_of_limited_alpha(), "avif, 10 bits, limited alpha": avif_of_limited_alpha("-d", "10")}
CASES = [*SOURCES, *LIMITED]


def wanted(source):
    rgba = scene()
    if source in LIMITED:
        rgba[..., 3] = ((rgba[..., 3].astype(float) - 16) * 255 / 219).clip(0, 255).round()
    return rgba


def off(picture, expected):
    """Return the mean difference in levels and that of the pixel that is most off."""
    difference = np.abs(picture - expected).max(axis=-1)
    return float(difference.mean()), float(difference.max())


@pytest.mark.parametrize("steps", [(), ("resize:width=48",)], ids=["as stored", "reduced"])
@pytest.mark.parametrize("source", CASES)
def test_transparency_is_that_of_the_source(tmp_path, source, steps):
    data = {**SOURCES, **LIMITED}[source](scene(), tmp_path)
    result = made(data, WITH_ALPHA, steps=list(steps))
    for name, output in zip(WITH_ALPHA, result.outputs, strict=True):
        for ground in GROUNDS.values():
            expected = on(ground, wanted(source))
            expected = expected.reshape(32, 2, 48, 2, 3).mean(axis=(1, 3)) if steps else expected
            mean, worst = off(seen(output.data, name, tmp_path, background=ground), expected)
            assert mean < 4, (name, ground)
            assert worst < (60 if name in ("webp", "avif", "heif", "jxl") or steps else 9), (name, ground)


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("background", GROUNDS)
@pytest.mark.parametrize("source", CASES)
def test_outputs_without_alpha_show_the_background(tmp_path, source, background, engine):
    data = {**SOURCES, **LIMITED}[source](scene(), tmp_path)
    renditions = [{"encode": settings, "name": f"{name}/{{stem}}.{{ext}}"} for name, settings in OPAQUE.items()]
    recipe = {"renditions": renditions, "background": background, "engine": engine, "steps": []}
    expected = on(GROUNDS[background], wanted(source))
    for name, output in zip(OPAQUE, process(Input(data), Recipe.from_builtins(recipe)).outputs, strict=True):
        assert off(seen(output.data, name, tmp_path), expected)[0] < 4, name
