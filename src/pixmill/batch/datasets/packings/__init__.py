"""Packings, one module each: file formats for the samples of a shard."""
