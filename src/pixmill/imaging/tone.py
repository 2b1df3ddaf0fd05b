"""Tone curves: what becomes of a value, whatever its neighbours are."""

import pyvips


def straight_line(colour: pyvips.Image, *, slope: float, offset: float) -> pyvips.Image:
    """Return ``colour`` (8 or 16 bits) with each value times ``slope`` plus ``offset``, rounded and kept in range."""
    table = pyvips.Image.identity(ushort=colour.format == "ushort").linear(slope, offset).rint().cast(colour.format)
    return colour.maplut(table)
