"""High dynamic range (PQ and HLG) is mapped to sRGB by a curve without steps, and noted."""

import io
import shutil

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixmill.imaging.colour.icc_read import codes_in
from support.colour_files import REFERENCE_WHITE, avif, png, pq

PQ, HLG, BT2020, P3 = 16, 18, 9, 12
SAMPLES = 4000


def ramp(signal):
    return np.repeat((signal * 65535).round().astype(np.uint16)[None, :, None], 3, axis=2).repeat(4, axis=0)


def coded(array, transfer, primaries=BT2020, **chunks):
    return png(array, cICP=bytes([primaries, transfer, 0, 1]), **chunks)


def made_row(made):
    return np.asarray(Image.open(io.BytesIO(made.outputs[0].data)))[0].astype(int)


@pytest.mark.parametrize(
    ("transfer", "signal"),
    [
        (PQ, np.linspace(0, pq(1000), SAMPLES)),
        (PQ, pq(np.linspace(0, 1000, SAMPLES))),
        (HLG, np.linspace(0, 1, SAMPLES)),
    ],
    ids=["PQ", "PQ, even light", "HLG"],
)
def test_a_ramp_to_a_thousand_nits_rises_without_a_flat_part_and_stays_gray(make, transfer, signal):
    made = make(coded(ramp(signal), transfer))
    row = made_row(made)
    assert made.notes == ("hdr-tone-mapped",)
    assert np.ptp(row, axis=1).max() == 0
    assert np.diff(row[:, 0]).min() >= 0
    assert (row[0, 0], row[-1, 0]) == (0, 255)
    assert np.bincount(row[:, 0]).max() <= SAMPLES / 20


def test_paper_stays_bright_and_shadows_stay_as_they_are(make):
    row = made_row(make(coded(ramp(pq(np.array([1, 2, 5, REFERENCE_WHITE]))), PQ)))[:, 0]
    light = np.array([1, 2, 5]) / REFERENCE_WHITE
    in_sdr = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(row[:3] - in_sdr).max() <= 2
    assert 180 <= row[3] <= 215


def test_the_brightest_light_that_a_file_states_becomes_white(make):
    content = (500 * 10_000).to_bytes(4) + bytes(4)
    row = made_row(make(coded(ramp(pq(np.array([100, 400, 500, 900]))), PQ, cLLI=content)))[:, 0]
    assert row[0] < row[1] < 255
    assert row[2:].tolist() == [255, 255]


def test_a_hue_is_kept(make):
    light = np.array([[400, 100, 50], [40, 10, 5]])
    row = made_row(make(coded(np.repeat((pq(light) * 65535).round().astype(np.uint16)[None], 4, axis=0), PQ, primaries=1)))
    linear = np.where(row <= 10, row / 255 / 12.92, ((row / 255 + 0.055) / 1.055) ** 2.4)
    assert np.abs(linear[:, 0] / linear[:, 1] - 4).max() < 0.2
    assert np.abs(linear[:, 1] / linear[:, 2] - 2).max() < 0.15


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_gray_and_alpha_are_mapped_too(make, transfer):
    alpha = np.linspace(0, 65535, 64).astype(np.uint16)
    pixels = np.stack([np.full(64, 30_000, np.uint16), alpha], axis=1)[None].repeat(4, axis=0)
    data = pyvips.Image.new_from_array(pixels).copy(interpretation="grey16").pngsave_buffer()
    made = make(data[:33] + png(np.zeros((1, 1), np.uint8), cICP=bytes([9, transfer, 0, 1]))[33:49] + data[33:])
    assert made.notes == ("hdr-tone-mapped",)
    row = made_row(made)
    in_colour = made_row(make(coded(np.full((4, 4, 3), 30_000, np.uint16), transfer)))[0]
    assert np.abs(row[:, 0] - in_colour[0]).max() <= 1
    assert np.abs(row[:, 1] - alpha / 257).max() <= 0.5


@pytest.mark.skipif(not shutil.which("avifenc"), reason="avifenc is not installed")
@pytest.mark.parametrize("depth", ["8", "10", "12"])
@pytest.mark.parametrize("codes", ["9/16/9", "12/16/6", "9/18/9"])
def test_an_avif_is_mapped_as_a_png_with_the_same_codes(tmp_path, make, measure, codes, depth):
    colours = np.random.default_rng(2).integers(40, 150, (4, 4, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    from_avif = make(avif(tmp_path, colours, "--cicp", codes, "-d", depth))
    primaries, transfer, _ = map(int, codes.split("/"))
    from_png = make(coded(colours, transfer, primaries))
    assert from_avif.notes == from_png.notes == ("hdr-tone-mapped",)
    pixels = [measure.pixels(made.outputs[0].data)[8::16, 8::16] for made in (from_avif, from_png)]
    assert measure.difference(*pixels)[0] < 1.5


def test_a_profile_that_states_pq_is_mapped_by_the_same_curve(make):
    kept = make(coded(ramp(np.linspace(0, 0.8, 64)), PQ), color="keep").outputs[0].data
    profile = Image.open(io.BytesIO(kept)).info["icc_profile"]
    assert codes_in(profile) == (BT2020, PQ)
    again = make(kept)
    assert again.notes == ("hdr-tone-mapped",)
    assert np.abs(made_row(again) - made_row(make(coded(ramp(np.linspace(0, 0.8, 64)), PQ)))).max() <= 4  # kept in 8 bits
