"""Archives as storages: members are read in place, without unpacking the archive."""
