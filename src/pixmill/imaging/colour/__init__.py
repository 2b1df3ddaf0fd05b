"""Colour values, ICC profiles, and the conversion into the working colour space."""
