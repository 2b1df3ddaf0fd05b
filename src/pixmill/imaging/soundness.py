"""Is this a picture that every step and codec can take? For what foreign code hands back."""

from pixmill.imaging.image import Image

#: What each interpretation holds: the format of a value, and the bands without and with alpha.
SPACES = {"b-w": ("uchar", (1, 2)), "grey16": ("ushort", (1, 2)), "srgb": ("uchar", (3, 4)), "rgb16": ("ushort", (3, 4))}


def unsound(image: Image) -> str:
    """Say in words what is wrong with ``image`` in the working colour space; the empty string when nothing is."""
    pixels = image.pixels
    kind, bands = SPACES.get(pixels.interpretation, ("", ()))
    if pixels.format != kind or pixels.bands not in bands:
        spaces = ", ".join(SPACES)
        return f"{pixels.bands} bands of {pixels.format} as {pixels.interpretation}, expected one of {spaces}"
    if image.frames < 1 or pixels.height % image.frames:
        return f"a column {pixels.height} pixels high does not divide into {image.frames} frames"
    if image.delays and len(image.delays) != image.frames:
        return f"{len(image.delays)} delays for {image.frames} frames"
    return ""


def in_whole_levels(image: Image) -> Image:
    """Return ``image`` with its values rounded and clipped to what its interpretation holds: arithmetic makes them fractions."""
    pixels = image.pixels
    kind, _ = SPACES.get(pixels.interpretation, (pixels.format, ()))
    return image if pixels.format == kind else image.evolve(pixels=pixels.rint().cast(kind))
