"""Scenes computed from noise with the statistics of photographs: smooth gradients as in skies, and rough texture as on ground.

In natural images, amplitudes fall with the inverse of the frequency (D. J. Field, 1987), and so they do in this noise. A scene is
an array (height, width, bands) of values from 0 to 1, and is the same for the same seed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Plane = np.ndarray[Any, np.dtype[np.float32]]  # half the memory of float64
Stop = tuple[float, tuple[float, float, float]]


def noise(height: int, width: int, *, slope: float, seed: int, stretch: float = 1.0, tails: float = 0.5) -> Plane:
    """Return noise from 0 to 1 whose amplitudes are proportional to frequency to the power of ``-slope``; it tiles seamlessly.

    ``stretch`` above 1 stretches it horizontally. ``tails`` is the percentage of values clipped at each end.
    """
    white = np.random.default_rng(seed).standard_normal((height, width), dtype=np.float32)
    rows, columns = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None, :] * height * stretch
    frequency = np.hypot(rows.astype(np.float32), columns.astype(np.float32))
    frequency[0, 0] = np.inf
    plane: Plane = np.fft.irfft2(np.fft.rfft2(white) * frequency**-slope, s=(height, width)).astype(np.float32)
    low, high = (float(value) for value in np.percentile(plane[:: 1 + height // 300, ::3], (tails, 100 - tails)))
    return clipped((plane - low) / (high - low))


def clipped(plane: Plane) -> Plane:
    """Return ``plane`` clipped to 0 to 1."""
    inside: Plane = np.clip(plane, 0, 1)
    return inside


def rgb(red: float, green: float, blue: float) -> Plane:
    """Return a colour, each channel from 0 to 1."""
    return np.array((red, green, blue), np.float32)


def ramp(position: Plane, stops: Sequence[Stop]) -> Plane:
    """Return the colours at ``position`` on a gradient through ``stops``, with bands as the last axis."""
    places = [place for place, _ in stops]
    scene = np.empty((*position.shape, 3), np.float32)
    for band in range(3):
        scene[..., band] = np.interp(position, places, [colour[band] for _, colour in stops])
    return scene


def mix(first: Plane, second: Plane, share: Plane) -> Plane:
    """Return ``first`` blended with ``second`` by ``share`` (0 to 1, without a band axis)."""
    mixed: Plane = first + (second - first) * share[..., None]
    return mixed


def grid(height: int, width: int) -> tuple[Plane, Plane]:
    """Return the x and y coordinates of every pixel, from 0 to 1."""
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    return across, down


def grained(scene: Plane, *, seed: int, strength: float = 0.008) -> Plane:
    """Return ``scene`` with sensor noise."""
    grain = np.random.default_rng(seed).standard_normal(scene.shape[:2], dtype=np.float32)[..., None]
    return clipped(scene + strength * grain)


def mountains(height: int, width: int, *, seed: int) -> Plane:
    """Return mountain ridges in evening haze."""
    across, down = grid(height, width)
    evening = [(0, (0.20, 0.33, 0.55)), (0.3, (0.55, 0.62, 0.75)), (0.5, (0.97, 0.80, 0.62)), (1, (0.99, 0.70, 0.48))]
    clouds = noise(height, width, slope=1.7, seed=seed, stretch=4) ** 3
    scene = mix(ramp(down, evening), rgb(1.0, 0.88, 0.80), 0.75 * clouds * (1 - down))
    distance = np.hypot((across - 0.68) * width / height, down - 0.40)
    scene = mix(scene, rgb(1.0, 0.93, 0.76), np.clip(np.exp(-distance / 0.16) * 1.15, 0, 1))
    texture = noise(height, width, slope=1.1, seed=seed + 1)
    ridges = 6
    for index in range(ridges):
        near = index / (ridges - 1)
        outline = noise(1, width, slope=1.25 - 0.2 * near, seed=seed + 10 + index)[0]
        crest = 0.44 + 0.40 * near**1.2 - (0.20 - 0.06 * near) * (outline - 0.3) - 0.016 * near * _pines(width, seed + 20 + index)
        depth = down - crest[None, :]
        rock = ramp(np.clip(texture * 0.9 + 0.1 * depth, 0, 1), _rock(near))
        mist = (1 - near) * np.clip(depth / 0.16, 0, 1) * 0.6
        ridge = mix(rock, rgb(0.95, 0.80, 0.70), mist)
        scene = mix(scene, ridge, np.clip(depth * height + 0.5, 0, 1))
    return grained(scene, seed=seed)


def _rock(near: float) -> list[Stop]:
    far_dark, near_dark = rgb(0.58, 0.56, 0.66), rgb(0.03, 0.06, 0.06)
    dark = far_dark + (near_dark - far_dark) * near
    light = dark * (1.15 + 0.6 * near) + 0.03
    return [(0, (dark[0], dark[1], dark[2])), (1, (light[0], light[1], light[2]))]


def _pines(width: int, seed: int) -> Plane:
    """Return the outline of tree tops, 0 to 1."""
    random = np.random.default_rng(seed)
    x = np.arange(width)
    tops = np.zeros(width, np.float32)
    for place, size in zip(random.uniform(0, width, width // 9), random.uniform(0.3, 1, width // 9), strict=True):
        left, right = int(max(0, place - 16)), int(min(width, place + 17))
        tops[left:right] = np.maximum(tops[left:right], size - np.abs(x[left:right] - place) / 14)
    return tops


def sea(height: int, width: int, *, seed: int) -> Plane:
    """Return an open sea below clouds, with sunlight on the water."""
    across, down = grid(height, width)
    horizon, sun = 0.46, 0.36
    blue = [(0, (0.13, 0.33, 0.62)), (0.3, (0.42, 0.62, 0.80)), (horizon, (0.93, 0.90, 0.82))]
    clouds = np.clip((noise(height, width, slope=1.55, seed=seed, stretch=2.2) - 0.50) * 3.2, 0, 1)
    lit = ramp(noise(height, width, slope=1.4, seed=seed + 1, stretch=1.6), [(0.2, (0.70, 0.72, 0.78)), (0.7, (1.0, 0.98, 0.94))])
    sky = mix(ramp(down, blue), lit, clouds * np.clip((horizon - down) / 0.12, 0, 1) * 0.92)
    glow = np.exp(-np.hypot((across - sun) * width / height, down - horizon + 0.08) / 0.20)
    sky = mix(sky, rgb(1.0, 0.95, 0.82), np.clip(glow, 0, 1))
    below = np.clip(down - horizon, 1e-4, None)
    waves = _in_perspective(noise(1024, 1024, slope=1.15, seed=seed + 2), across - 0.5, below)
    near = np.clip(below / (1 - horizon), 0, 1)
    water = ramp(
        np.clip(0.15 + 0.55 * waves + 0.25 * (1 - near), 0, 1),
        [(0, (0.02, 0.14, 0.22)), (0.55, (0.10, 0.36, 0.45)), (1, (0.72, 0.82, 0.84))],
    )
    path = np.exp(-(((across - sun) / (0.05 + 0.16 * near)) ** 2))
    water = mix(water, rgb(1.0, 0.94, 0.80), np.clip(path * (waves * 2.3 - 0.85), 0, 1))
    water = mix(water, rgb(0.93, 0.90, 0.82), np.exp(-near * 16) * 0.75)
    return grained(np.where((down < horizon)[..., None], sky, water), seed=seed)


def _in_perspective(texture: Plane, across: Plane, below: Plane) -> Plane:
    """Return ``texture`` as a horizontal plane seen at a low angle; ``below`` is the distance below the horizon."""
    distance = 0.10 / (below + 0.012)
    u, v = across * distance * 1.1, distance * 0.55
    return _bilinear(texture, u * texture.shape[1], v * texture.shape[0])


def _bilinear(texture: Plane, x: Plane, y: Plane) -> Plane:
    height, width = texture.shape
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right_share, bottom_share = x - left.astype(np.float32), y - top.astype(np.float32)
    rows, columns = (top % height, (top + 1) % height), (left % width, (left + 1) % width)
    upper = texture[rows[0], columns[0]] * (1 - right_share) + texture[rows[0], columns[1]] * right_share
    lower = texture[rows[1], columns[0]] * (1 - right_share) + texture[rows[1], columns[1]] * right_share
    between: Plane = upper * (1 - bottom_share) + lower * bottom_share
    return between


def relief(height: int, width: int, *, slope: float, seed: int) -> tuple[Plane, Plane]:
    """Return the heights of a landscape and the light on it, both 0 to 1, seen from above."""
    ground = noise(height, width, slope=slope, seed=seed, tails=0.01)
    across, down = (np.asarray(np.gradient(ground, axis=axis), np.float32) for axis in (1, 0))
    return ground, 0.62 + 0.38 * np.tanh((across + down) * height * 0.30)


def islands(height: int, width: int, *, seed: int) -> Plane:
    """Return islands in a shallow sea, seen from the air."""
    ground, light = relief(height, width, slope=1.9, seed=seed)
    stops = [
        (0.0, (0.02, 0.12, 0.27)), (0.36, (0.04, 0.34, 0.48)), (0.47, (0.20, 0.64, 0.66)), (0.50, (0.62, 0.84, 0.76)),
        (0.51, (0.93, 0.87, 0.68)), (0.54, (0.80, 0.74, 0.50)), (0.57, (0.36, 0.50, 0.22)), (0.72, (0.14, 0.33, 0.15)),
        (0.84, (0.42, 0.38, 0.30)), (0.93, (0.62, 0.58, 0.54)), (0.96, (0.97, 0.98, 1.0)),
    ]  # fmt: skip
    rough = noise(height, width, slope=0.9, seed=seed + 1) - 0.5
    land = np.clip((ground - 0.50) * 40, 0, 1)
    scene = ramp(np.clip(ground + 0.035 * rough * land, 0, 1), stops)
    shade = 1 + (light - 0.62) * land + 0.20 * rough * land
    clouds = np.clip((noise(height, width, slope=1.5, seed=seed + 2) - 0.66) * 3, 0, 1) ** 1.3
    shadow = np.roll(clouds, (height // 40, width // 40), axis=(0, 1))
    scene = np.clip(scene * shade[..., None], 0, 1) * (1 - 0.4 * shadow[..., None])
    return grained(mix(scene, rgb(1.0, 1.0, 1.0), clouds * 0.9), seed=seed)


def lights(height: int, width: int, *, seed: int) -> Plane:
    """Return a street at night, out of focus."""
    _, down = grid(height, width)
    scene = ramp(down, [(0, (0.02, 0.03, 0.09)), (0.5, (0.10, 0.06, 0.14)), (0.62, (0.18, 0.09, 0.10)), (1, (0.03, 0.02, 0.05))])
    random = np.random.default_rng(seed)
    colours = [(1.0, 0.62, 0.22), (1.0, 0.85, 0.55), (0.95, 0.25, 0.20), (0.30, 0.75, 0.95), (0.98, 0.95, 0.88), (0.45, 0.90, 0.55)]
    for _ in range(150):
        x, y = random.uniform(-0.05, 1.05) * width, np.clip(random.normal(0.55, 0.17), 0, 1) * height
        radius = random.uniform(0.008, 0.055) * height
        colour = rgb(*colours[random.choice(len(colours), p=[0.32, 0.24, 0.14, 0.12, 0.12, 0.06])])
        _add_disc(scene, (x, y), radius, colour * random.uniform(0.15, 0.6))
    ground = noise(height, width, slope=1.2, seed=seed + 1, stretch=3)
    wet = np.clip((down - 0.72) / 0.25, 0, 1) * ground
    mirrored = mix(scene, scene[::-1] * 0.8, np.clip(wet * 0.9, 0, 1))
    return grained(np.clip(mirrored, 0, 1), seed=seed, strength=0.012)


def _add_disc(scene: Plane, centre: tuple[float, float], radius: float, colour: Plane) -> None:
    """Add light to a disc of ``scene`` with a slightly brighter rim, as in out-of-focus highlights."""
    (x, y), reach = centre, radius + 3
    top, bottom, left, right = (round(max(0, value)) for value in (y - reach, y + reach, x - reach, x + reach))
    part = scene[top:bottom, left:right]
    if part.size:
        rows, columns = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]]
        distance = np.hypot(columns - x, rows - y)
        disc = np.clip((radius - distance) / 2 + 0.5, 0, 1) * (0.75 + 0.35 * np.clip(distance / radius, 0, 1) ** 6)
        part += (1 - part) * disc[..., None] * colour


def glass_ball(side: int, *, seed: int) -> Plane:
    """Return a ball of coloured glass and its shadow on a transparent background: four bands, the last is alpha."""
    across, down = grid(side, side)
    x, y = (across - 0.5) / 0.40, (down - 0.46) / 0.40
    inside = np.clip((1 - np.hypot(x, y)) * side * 0.40 + 0.5, 0, 1)
    bulge = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    swirl = noise(side, side, slope=1.6, seed=seed)
    colour = ramp(
        np.clip(0.5 + 0.35 * y - 0.2 * x + 0.5 * (swirl - 0.5), 0, 1),
        [(0, (0.30, 0.85, 0.90)), (0.5, (0.20, 0.35, 0.85)), (1, (0.55, 0.12, 0.60))],
    )
    colour = colour * (0.45 + 0.55 * bulge)[..., None]
    shine = np.exp(-(((x + 0.35) / 0.28) ** 2) - ((y + 0.45) / 0.20) ** 2) + 0.35 * np.exp(
        -(((x - 0.35) / 0.3) ** 2) - ((y - 0.55) / 0.16) ** 2
    )
    colour = mix(colour, rgb(1.0, 1.0, 1.0), np.clip(shine, 0, 1))
    shadow = 0.5 * np.exp(-(((across - 0.5) / 0.26) ** 2) - ((down - 0.89) / 0.045) ** 2)
    opacity = np.clip(inside * (0.72 + 0.28 * (1 - bulge) + 0.3 * np.clip(shine, 0, 1)), 0, 1)
    alpha = opacity + shadow * (1 - opacity)
    visible = colour * (opacity / np.clip(alpha, 1e-6, None))[..., None]
    return np.concatenate([np.clip(visible, 0, 1), np.clip(alpha, 0, 1)[..., None]], axis=-1)


def rings(height: int, width: int) -> Plane:
    """Return the waves of two stones thrown into still water, in few colours."""
    across, down = grid(height, width)
    x = across * width / height
    first, second = np.hypot(x - 0.45, down - 0.40), np.hypot(x - 0.95, down - 0.65)
    wave: Callable[[Plane], Plane] = lambda distance: np.sin(distance * 58) * np.exp(-distance * 2.2)  # noqa: E731  # a formula
    height_of_water = 0.5 + 0.36 * (wave(first) + wave(second))
    return ramp(
        np.clip(height_of_water, 0, 1),
        [(0, (0.05, 0.10, 0.28)), (0.5, (0.14, 0.45, 0.62)), (0.8, (0.55, 0.82, 0.84)), (1, (1.0, 0.97, 0.88))],
    )
