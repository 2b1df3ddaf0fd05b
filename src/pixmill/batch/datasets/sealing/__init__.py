"""From parts to finished shards of a dataset."""
