"""Packing parts into the finished shards of a dataset."""
