"""The common ground of all object stores: buckets of keys, accessed through one library, obstore."""
