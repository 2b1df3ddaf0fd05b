"""Packings, one file each: how the samples of a shard become a file."""
